// Extended attributes stored with their inode: a header of 12 bytes, then entries of 4-byte steps, each with the prefix
// of its name as a number.
import { DhowError } from "../../lib/errors.ts"
import type { TarType } from "../../lib/tar/entry.ts"
import { encodeName } from "../../lib/tar/names.ts"
import { roundUp } from "./format.ts"

const HEADER = 12
/** One for all files that have none: there may be a million of them. */
const NONE = Buffer.alloc(0)
const ENTRY = 4
const MAX_VALUE = 0xffff
const MAX_SUFFIX = 0xff
const MAX_COUNT = 0xffff

const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ["user.", 1],
  ["trusted.", 4],
  ["security.", 6],
]
/** Whole names with a number of their own. */
const ACLS: ReadonlyMap<string, number> = new Map([
  ["system.posix_acl_access", 2],
  ["system.posix_acl_default", 3],
])
const ACL_VERSION = 2

/** Whether a file system of Linux would take the attribute on a file of this type. */
export function isStorable(name: string, value: Uint8Array, type: TarType): boolean {
  if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) return false
  if (name.startsWith("user.")) return type === "file" || type === "directory"
  if (ACLS.has(name)) return type !== "symlink" && isAcl(value)
  return PREFIXES.some(([prefix]) => name.startsWith(prefix) && name.length > prefix.length)
}

/** The kernel reads an ACL whenever it checks a permission: one that is malformed would make the file unusable. */
function isAcl(value: Uint8Array): boolean {
  if (value.length < 4 || (value.length - 4) % 8 !== 0) return false
  return new DataView(value.buffer, value.byteOffset, value.length).getUint32(0, true) === ACL_VERSION
}

/** The bytes that follow the inode; empty without attributes. */
export function encodeXattrs(xattrs: ReadonlyMap<string, Uint8Array> | undefined): Buffer {
  if (xattrs === undefined || xattrs.size === 0) return NONE
  const parts: Buffer[] = [Buffer.alloc(HEADER)]
  let length = HEADER
  for (const [name, value] of xattrs) {
    const { index, suffix } = splitName(name)
    if (suffix.length > MAX_SUFFIX || value.length > MAX_VALUE)
      throw new DhowError("invalid", `Attribute "${name}" is too long`)
    const entry = Buffer.alloc(roundUp(ENTRY + suffix.length + value.length, ENTRY))
    entry[0] = suffix.length
    entry[1] = index
    entry.writeUInt16LE(value.length, 2)
    suffix.copy(entry, ENTRY)
    entry.set(value, ENTRY + suffix.length)
    parts.push(entry)
    length += entry.length
  }
  if (xattrCount(length) > MAX_COUNT) throw new DhowError("invalid", "The attributes of a file are too long")
  return Buffer.concat(parts)
}

/** How an inode says the length of its attributes: 0 for none, else 1 and the steps after the header. */
export function xattrCount(length: number): number {
  return length === 0 ? 0 : 1 + (length - HEADER) / ENTRY
}

function splitName(name: string): { readonly index: number; readonly suffix: Buffer } {
  const acl = ACLS.get(name)
  if (acl !== undefined) return { index: acl, suffix: Buffer.alloc(0) }
  for (const [prefix, index] of PREFIXES)
    if (name.startsWith(prefix)) return { index, suffix: encodeName(name.slice(prefix.length)) }
  throw new DhowError("internal", `Attribute "${name}" has no prefix that EROFS knows`)
}

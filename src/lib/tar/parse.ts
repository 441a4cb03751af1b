// Puts one entry together from its headers: PAX (x, g), GNU long names (L, K) and sparse maps come before or inside the
// entry they describe. Everything read into memory is bounded.
import { DhowError } from "../errors.ts"
import { BLOCK, padded, type SparseChunk, type TarEntry, type TarType } from "./entry.ts"
import { parseHeader, type RawHeader } from "./header.ts"
import { decodeName } from "./names.ts"
import { parsePax, parsePaxTime } from "./pax.ts"
import { exactly, type Pull, truncated } from "./pull.ts"
import { checkMap, parsePaxMap, pullGnuMap, pullPax10Map } from "./sparse.ts"

const MAX_EXTENSION = 1 << 20
const XATTR = "SCHILY.xattr."

const TYPES: Readonly<Record<string, TarType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  D: "directory",
  "6": "fifo",
}

type Records = Map<string, Uint8Array>

/** State that outlives an entry: global PAX records. */
export type ParseState = { readonly globals: Records }

/** An entry and the number of content bytes that follow it in the archive, before padding. */
export type ParsedEntry = { readonly entry: TarEntry; readonly stored: number }

/** The next entry, or undefined at the end of the archive. */
export function* pullEntry(state: ParseState): Pull<ParsedEntry | undefined> {
  let records: Records | undefined
  let extended = 0
  let longName: string | undefined
  let longLink: string | undefined
  for (;;) {
    const block = yield BLOCK
    if (block.length === 0 && records === undefined && longName === undefined && longLink === undefined) return
    if (block.length < BLOCK) throw truncated(undefined)
    const header = parseHeader(block)
    if (header === undefined) return yield* endOfArchive()
    if ("xXgLKV".includes(header.flag)) extended += header.size
    bound(extended)
    switch (header.flag) {
      case "x":
      case "X":
        records ??= new Map(state.globals)
        readRecords(yield* extension(header), records)
        break
      case "g":
        readRecords(yield* extension(header), state.globals)
        bound([...state.globals].reduce((sum, [key, value]) => sum + key.length + value.length, 0))
        break
      case "L":
        longName = untilNul(yield* extension(header))
        break
      case "K":
        longLink = untilNul(yield* extension(header))
        break
      case "V":
        yield* extension(header)
        break
      default: {
        const own = records ?? state.globals
        // The map of a sparse file may pull more blocks, which invalidates `block`.
        const raw = { ...header, name: longName ?? header.name, linkName: longLink ?? header.linkName }
        return yield* assemble(raw, own, header.flag === "S" ? copyOf(block) : undefined)
      }
    }
  }
}

function* endOfArchive(): Pull<undefined> {
  const block = yield BLOCK
  if (block.length === BLOCK && parseHeader(block) !== undefined)
    throw new DhowError("invalid", "Tar archive has an entry after its end")
}

function* extension(header: RawHeader): Pull<Uint8Array> {
  return copyOf((yield* exactly(padded(header.size), undefined)).subarray(0, header.size))
}

/** What is pulled is valid until the next pull only; and slice() of a Buffer would be no copy. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** All extended headers of one entry together, so that a chain of them is no way around the limit. */
function bound(size: number): void {
  if (size <= MAX_EXTENSION) return
  throw new DhowError("invalid", `Tar archive has extended headers of ${size} bytes for one entry`, {
    hint: `At most ${MAX_EXTENSION} bytes are accepted`,
  })
}

function readRecords(bytes: Uint8Array, records: Records): void {
  for (const [key, value] of parsePax(bytes)) {
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") appendSparse(records, value)
    // An empty value takes an earlier record back; an attribute may truly be empty.
    else if (value.length === 0 && !key.startsWith(XATTR)) records.delete(key)
    else records.set(key, value)
  }
}

/** GNU.sparse 0.0 repeats two keys per stretch; joined, they are the map of 0.1. */
function appendSparse(records: Records, value: Uint8Array): void {
  const before = records.get("GNU.sparse.map")
  records.set("GNU.sparse.map", before === undefined ? value : Buffer.concat([before, Buffer.of(0x2c), value]))
}

function* assemble(header: RawHeader, records: Records, gnuSparse: Uint8Array | undefined): Pull<ParsedEntry> {
  const value = (key: string): string | undefined => {
    const bytes = records.get(key)
    return bytes === undefined ? undefined : decodeName(bytes)
  }
  const path = value("GNU.sparse.name") ?? value("path") ?? header.name
  const linkPath = value("linkpath") ?? header.linkName
  const time = records.size === 0 ? undefined : value("mtime")
  const { seconds, nanoseconds } = time === undefined ? { seconds: header.mtime, nanoseconds: 0 } : parsePaxTime(time)
  const type = path.endsWith("/") && (header.flag === "0" || header.flag === "\0") ? "directory" : TYPES[header.flag]
  if (type === undefined)
    throw new DhowError("invalid", `Entry "${path}" of the archive has the unknown type "${header.flag}"`)
  if (path.includes("\0") || linkPath.includes("\0"))
    throw new DhowError("invalid", `Entry "${path.replaceAll("\0", "\\0")}" of the archive has a NUL in its name`)
  if (path === "" && type !== "directory") throw new DhowError("invalid", "Tar archive has an entry without a name")

  // Only files have content, except the list of names in GNU's incremental directories.
  let stored = type === "file" || header.flag === "D" ? numberOf(value("size"), header.size, "size", path) : 0
  let sparse: readonly SparseChunk[] | undefined
  let size = type === "file" ? stored : 0
  if (gnuSparse !== undefined) {
    const map = yield* pullGnuMap(gnuSparse, path)
    sparse = map.chunks
    size = map.realSize
  } else if (type === "file" && records.has("GNU.sparse.major")) {
    const version = `${value("GNU.sparse.major")}.${value("GNU.sparse.minor")}`
    if (version !== "1.0")
      throw new DhowError("invalid", `Sparse file "${path}" in the archive has the unknown version "${version}"`)
    const map = yield* pullPax10Map(path)
    sparse = map.chunks
    stored -= map.consumed
    size = numberOf(value("GNU.sparse.realsize"), stored, "size", path)
  } else if (type === "file" && records.has("GNU.sparse.map")) {
    sparse = parsePaxMap(value("GNU.sparse.map") ?? "", path)
    size = numberOf(value("GNU.sparse.size"), stored, "size", path)
  }
  if (sparse !== undefined) checkMap(sparse, size, stored, path)

  const xattrs = xattrsOf(records)
  const entry: TarEntry = {
    path: path === "" ? "." : path,
    type,
    mode: header.mode,
    uid: numberOf(value("uid"), header.uid, "uid", path),
    gid: numberOf(value("gid"), header.gid, "gid", path),
    mtime: seconds,
    mtimeNanoseconds: nanoseconds,
    size,
    ...(type === "symlink" || type === "hardlink" ? { linkPath } : {}),
    ...(type === "character-device" || type === "block-device"
      ? { device: { major: header.devMajor, minor: header.devMinor } }
      : {}),
    ...(xattrs === undefined ? {} : { xattrs }),
    ...(sparse === undefined ? {} : { sparse }),
  }
  return { entry, stored }
}

function xattrsOf(records: Records): ReadonlyMap<string, Uint8Array> | undefined {
  let xattrs: Map<string, Uint8Array> | undefined
  for (const [key, bytes] of records) {
    if (!key.startsWith(XATTR)) continue
    xattrs ??= new Map()
    xattrs.set(key.slice(XATTR.length), bytes)
  }
  return xattrs
}

function numberOf(text: string | undefined, otherwise: number, field: string, path: string): number {
  if (text === undefined) return otherwise
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new DhowError("invalid", `Entry "${path}" of the archive has a bad ${field} "${text.slice(0, 40)}"`)
  return number
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return decodeName(end < 0 ? bytes : bytes.subarray(0, end))
}

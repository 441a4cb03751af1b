// Writes tar entries: ustar where it can say everything, a PAX header before it where it cannot. Deterministic: the same
// entries give the same bytes, and nothing of this host (user names, the clock) gets in.
import { DhowError } from "../errors.ts"
import { BLOCK, padded, type TarEntry, type TarType } from "./entry.ts"
import { encodeName } from "./names.ts"
import { formatPax, formatPaxTime } from "./pax.ts"
import { formatSparseMap, storedSize } from "./sparse-map.ts"

/** Same as what a reader yields; what is left out is 0, or 0o755 for a directory's mode and 0o644 for any other. */
export type TarInput = Pick<TarEntry, "path" | "type"> &
  Partial<Omit<TarEntry, "path" | "type" | "size">> & {
    /** Needed where the content is a stream, or a sparse file's: its length with the holes. */
    readonly size?: number
    /** Of a sparse file the bytes of its stretches alone. */
    readonly content?: Uint8Array | AsyncIterable<Uint8Array>
  }

const FLAGS: Readonly<Record<TarType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
}

const OCTAL_7 = 0o7777777
const OCTAL_11 = 0o77777777777

/** The bytes of a whole archive, its end included. */
export async function* writeTar(entries: AsyncIterable<TarInput> | Iterable<TarInput>): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    const { content, sparse } = entry
    const length = entry.size ?? (content instanceof Uint8Array ? content.length : 0)
    yield encodeTarHeader({ ...entry, size: length })
    const size = sparse === undefined ? length : storedSize(sparse)
    let written = 0
    if (content instanceof Uint8Array) {
      written = content.length
      if (written > 0) yield content
    } else if (content !== undefined) {
      for await (const chunk of content) {
        written += chunk.length
        if (written > size) break
        if (chunk.length > 0) yield chunk
      }
    }
    if (written !== size)
      throw new DhowError("internal", `Content of "${entry.path}" is not the ${size} bytes that its header says`)
    if (padded(size) > size) yield new Uint8Array(padded(size) - size)
  }
  yield new Uint8Array(2 * BLOCK)
}

/**
 * The header blocks of one entry; `size` bytes of content padded to whole blocks have to follow, or those of its stretches
 * where it is sparse.
 */
export function encodeTarHeader(entry: Omit<TarInput, "content">): Uint8Array {
  const { sparse, ...plain } = entry
  if (sparse === undefined || entry.type !== "file") return encodeHeader(plain, [])
  const map = formatSparseMap(sparse)
  const { path } = entry
  const slash = path.lastIndexOf("/") + 1
  const header = encodeHeader(
    {
      ...plain,
      path: `${path.slice(0, slash)}GNUSparseFile.0/${path.slice(slash)}`,
      size: map.length + storedSize(sparse),
    },
    [
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.name", encodeName(path)],
      ["GNU.sparse.realsize", String(entry.size ?? 0)],
    ],
  )
  return Buffer.concat([header, map])
}

function encodeHeader(
  entry: Omit<TarInput, "content" | "sparse">,
  records: [string, string | Uint8Array][],
): Uint8Array {
  const { path, type, linkPath = "", uid = 0, gid = 0, mtime = 0, mtimeNanoseconds = 0 } = entry
  const size = type === "file" ? (entry.size ?? 0) : 0
  const name = encodeName(type === "directory" && !path.endsWith("/") ? `${path}/` : path)
  const link = encodeName(linkPath)

  const split = splitName(name)
  if (split === undefined) records.push(["path", name])
  if (link.length > 100) records.push(["linkpath", link])
  if (size > OCTAL_11) records.push(["size", String(size)])
  if (uid > OCTAL_7) records.push(["uid", String(uid)])
  if (gid > OCTAL_7) records.push(["gid", String(gid)])
  if (mtime < 0 || mtime > OCTAL_11 || mtimeNanoseconds !== 0)
    records.push(["mtime", formatPaxTime(mtime, mtimeNanoseconds)])
  const xattrs = [...(entry.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [key, value] of xattrs) records.push([`SCHILY.xattr.${key}`, value])

  const header = block({
    name: split?.name ?? name.subarray(0, 100),
    prefix: split?.prefix ?? Buffer.alloc(0),
    link: link.subarray(0, 100),
    mode: entry.mode ?? (type === "directory" ? 0o755 : 0o644),
    uid: uid > OCTAL_7 ? 0 : uid,
    gid: gid > OCTAL_7 ? 0 : gid,
    size: size > OCTAL_11 ? 0 : size,
    mtime: mtime < 0 || mtime > OCTAL_11 ? 0 : mtime,
    flag: FLAGS[type],
    device: entry.device,
  })
  if (records.length === 0) return header
  const body = formatPax(records)
  const extension = block({
    name: Buffer.from("PaxHeaders/entry"),
    prefix: Buffer.alloc(0),
    link: Buffer.alloc(0),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.length,
    mtime: 0,
    flag: "x",
  })
  return Buffer.concat([extension, body, Buffer.alloc(padded(body.length) - body.length), header])
}

type Fields = {
  readonly name: Buffer
  readonly prefix: Buffer
  readonly link: Buffer
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly flag: string
  readonly device?: TarEntry["device"]
}

function block(fields: Fields): Buffer {
  const bytes = Buffer.alloc(BLOCK)
  fields.name.copy(bytes, 0)
  octal(bytes, 100, 8, fields.mode & 0o7777)
  octal(bytes, 108, 8, fields.uid)
  octal(bytes, 116, 8, fields.gid)
  octal(bytes, 124, 12, fields.size)
  octal(bytes, 136, 12, fields.mtime)
  bytes.write(fields.flag, 156, "latin1")
  fields.link.copy(bytes, 157)
  bytes.write("ustar\x0000", 257, "latin1")
  octal(bytes, 329, 8, fields.device?.major ?? 0)
  octal(bytes, 337, 8, fields.device?.minor ?? 0)
  fields.prefix.copy(bytes, 345)
  bytes.fill(0x20, 148, 156)
  let sum = 0
  for (const byte of bytes) sum += byte
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return bytes
}

function octal(bytes: Buffer, offset: number, length: number, value: number): void {
  bytes.write(value.toString(8).padStart(length - 1, "0"), offset, "latin1")
}

/** Name and prefix as ustar splits a path at a slash; undefined where it does not fit. */
function splitName(path: Buffer): { readonly name: Buffer; readonly prefix: Buffer } | undefined {
  if (path.length <= 100) return { name: path, prefix: Buffer.alloc(0) }
  // Not the last byte: a directory's closing slash must stay in the name.
  const slash = path.indexOf(0x2f, path.length - 101)
  if (slash <= 0 || slash >= path.length - 1 || slash > 155) return undefined
  return { name: path.subarray(slash + 1), prefix: path.subarray(0, slash) }
}

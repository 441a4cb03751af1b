// Changes to the headers of an archive, by field and by the tricks that unpackers were caught with before.
import { formatPax } from "../../src/lib/tar/pax.ts"
import { join, type Piece, seal } from "./pieces.ts"
import type { Random } from "./random.ts"

export type Mutated = { readonly archive: Buffer; readonly headers: number }

/** Fields of a header as [offset, length]. */
const NUMBERS = {
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  major: [329, 8],
  minor: [337, 8],
} as const
const TEXTS = { name: [0, 100], link: [157, 100], prefix: [345, 155], magic: [257, 8] } as const
const FLAGS = [..."00112233445566\x007DSxgLKVZ"]

const NAMES = (outside: string): readonly string[] => [
  ...["..", "../..", "../../../../etc/passwd", "/etc/passwd", "a/../../b", "./", "/", "", ".", "//", "d/./../..//x"],
  ...[
    `${outside}/file`,
    `../..${outside}/file`,
    `../../file`,
    "to-root/etc/x",
    `to-root${outside}/file`,
    "to-d/../..",
    "d/far/x",
  ],
  ...["d", "d/file", "hard", "sparse", "etc", "bin", "usr/bin/program", "d/e", "to-d", "to-root", "null", "null/x"],
  ...[
    ".wh.d",
    ".wh..wh..opq",
    ".wh.",
    ".wh..",
    ".wh...",
    ".wh..wh.plnk",
    "d/.wh.e",
    "d/.wh..wh..opq",
    ".wh.to-d",
    "to-d/.wh.file",
  ],
  ...[
    "x".repeat(100),
    "y/".repeat(50),
    "\xff\xfe",
    "a\xe9/\x80",
    "caf\xc3\xa9",
    "a\nb",
    "\x01",
    "proc/self/root/x",
    "dev/fd/0",
  ],
]

const KEYS = [
  ...["path", "linkpath", "size", "uid", "gid", "mtime", "atime", "comment", "hdrcharset", ""],
  ...[
    "GNU.sparse.major",
    "GNU.sparse.minor",
    "GNU.sparse.name",
    "GNU.sparse.realsize",
    "GNU.sparse.size",
    "GNU.sparse.map",
  ],
  ...["GNU.sparse.offset", "GNU.sparse.numbytes", "SCHILY.xattr.user.a", "SCHILY.xattr.trusted.overlay.opaque"],
  ...[
    "SCHILY.xattr.trusted.overlay.redirect",
    "SCHILY.xattr.system.posix_acl_access",
    "SCHILY.xattr.security.capability",
    "SCHILY.xattr.",
  ],
]
const VALUES = [
  "",
  "0",
  "1",
  "-1",
  "7",
  "512",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "1e9",
  "0,7",
  "0,7,100",
  "5,5,0,1",
  "1.5",
  "-0.000000001",
  "99999999999999.9",
  "NaN",
  "y",
]

/** One archive made of `pieces` with up to four of its headers changed. `outside` is a directory to aim at. */
export function mutate(pieces: readonly Piece[], random: Random, outside: string): Mutated {
  const changed = [...pieces]
  const headers = 1 + random.below(4)
  for (let n = 0; n < headers; n++) {
    const at = random.below(changed.length)
    const piece = changed[at]!
    if (random.once(24)) changed.splice(random.below(changed.length + 1), 0, piece)
    else if (random.once(30)) changed.splice(at, 1, { header: piece.header, body: Buffer.alloc(0) })
    else if (random.once(6)) changed.splice(at, 0, extension(random, outside))
    else changed[at] = { header: changeHeader(piece.header, random, outside), body: changeBody(piece, random) }
  }
  const archive = join(changed)
  return { archive: random.once(40) ? archive.subarray(0, random.below(archive.length)) : archive, headers }
}

function changeHeader(original: Buffer, random: Random, outside: string): Buffer {
  const header = Buffer.from(original)
  for (let times = random.below(3); times >= 0; times--) {
    const kind = random.below(10)
    if (kind < 3) changeNumber(header, random)
    else if (kind < 6) changeText(header, random, outside)
    else if (kind < 8) header.write(random.pick(FLAGS), 156, "latin1")
    else if (kind === 8) header[random.below(512)] = random.below(256)
    else random.bytes(24).copy(header, 386 + random.below(110))
  }
  return random.once(40) ? header : seal(header)
}

function changeNumber(header: Buffer, random: Random): void {
  const [offset, length] = random.pick(Object.values(NUMBERS))
  const kind = random.below(6)
  if (kind === 0) random.bytes(length).copy(header, offset)
  else if (kind === 1) header.write("7".repeat(length - 1), offset, "latin1")
  else if (kind === 2) header.fill(0xff, offset, offset + length)
  else if (kind === 3) header.fill(0, offset, offset + length)[offset] = 0x80
  else if (kind === 4)
    random
      .bytes(length)
      .fill(0x80, 0, 1)
      .fill(0, 1, Math.max(1, length - 5))
      .copy(header, offset)
  else
    header.write(
      random
        .below(2000)
        .toString(8)
        .padStart(length - 1, "0"),
      offset,
      "latin1",
    )
}

function changeText(header: Buffer, random: Random, outside: string): void {
  const [offset, length] = random.pick([TEXTS.name, TEXTS.name, TEXTS.link, TEXTS.link, TEXTS.prefix, TEXTS.magic])
  const text = random.once(8) ? random.bytes(random.below(length)) : Buffer.from(random.pick(NAMES(outside)), "latin1")
  header.fill(0, offset, offset + length)
  text.copy(header, offset, 0, Math.min(length, text.length))
}

/** Bodies of extended headers say as much as headers do; contents of files say nothing. */
function changeBody({ header, body }: Piece, random: Random): Buffer {
  const flag = String.fromCharCode(header[156]!)
  if (body.length === 0 || !"xXgLK".includes(flag) || random.once(2)) return body
  const changed = Buffer.from(body)
  for (let times = random.below(4); times >= 0; times--) changed[random.below(changed.length)] = random.below(256)
  return changed
}

function extension(random: Random, outside: string): Piece {
  const flag = random.pick(["x", "x", "x", "g", "L", "K"])
  const value = (): string => (random.once(3) ? random.pick(NAMES(outside)) : random.pick(VALUES))
  const records = Array.from({ length: 1 + random.below(4) }, () => [random.pick(KEYS), value()] as const)
  const long = Buffer.from(random.once(60) ? "z/".repeat(random.below(3000)) : random.pick(NAMES(outside)), "latin1")
  const body = flag === "L" || flag === "K" ? long : formatPax(records)
  const header = Buffer.alloc(512)
  header.write("extension", 0)
  header.write("0000644\0", 100)
  header.write(body.length.toString(8).padStart(11, "0"), 124)
  header.write(flag, 156)
  header.write("ustar\x0000", 257, "latin1")
  return { header: seal(header), body: Buffer.concat([body, Buffer.alloc(-body.length & 511)]) }
}

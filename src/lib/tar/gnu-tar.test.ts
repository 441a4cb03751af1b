// Archives that GNU tar makes are read right in each of its formats, and GNU tar reads ours.
import { afterAll, beforeAll, expect, test } from "bun:test"
import {
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TarEntry } from "./entry.ts"
import { TarFile } from "./file-reader.ts"
import { encodeName } from "./names.ts"
import { readTar } from "./reader.ts"
import { writeTar } from "./writer.ts"

const LONG = `${"long-directory-name/".repeat(12)}${"file".repeat(40)}`
const LATIN = "caf\udce9"
const SPARSE_SIZE = 3 << 20

let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dhow-tar-"))
  const tree = join(root, "tree")
  mkdirSync(join(tree, LONG, ".."), { recursive: true })
  writeFileSync(join(tree, "empty"), "")
  writeFileSync(join(tree, "plain"), "0123456789".repeat(1000), { mode: 0o640 })
  writeFileSync(join(tree, "größe-日本"), "unicode")
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), encodeName(LATIN)]), "latin")
  writeFileSync(join(tree, LONG), "long")
  linkSync(join(tree, LONG), join(tree, "hard"))
  symlinkSync(`../${LONG}`, join(tree, "soft"))
  utimesSync(join(tree, "plain"), 1234567890.25, 1234567890.25)
  const fd = openSync(join(tree, "sparse"), "w")
  for (const offset of [0, 1 << 20, 2 << 20]) writeSync(fd, "data", offset)
  ftruncateSync(fd, SPARSE_SIZE)
  closeSync(fd)
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

type Seen = TarEntry & { readonly bytes: Buffer }

function tar(name: string, ...flags: string[]): string {
  const archive = join(root, name)
  // The file that has two names is stored under the one that is listed first.
  const members = [LONG, "hard", "soft", "empty", "plain", "größe-日本", "sparse"]
  const latin = join(root, "names")
  writeFileSync(latin, encodeName(`${members.join("\n")}\n${LATIN}\n`))
  const made = Bun.spawnSync(["tar", "-C", join(root, "tree"), "-cf", archive, ...flags, "-T", latin])
  expect(made.stderr.toString()).toBe("")
  return archive
}

async function readStream(archive: string, slice: number): Promise<Map<string, Seen>> {
  const bytes = readFileSync(archive)
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += slice) yield bytes.subarray(at, at + slice)
  }
  const seen = new Map<string, Seen>()
  for await (const { content, ...entry } of readTar(source())) {
    const parts: Uint8Array[] = []
    for await (const chunk of content) parts.push(Buffer.from(chunk))
    seen.set(entry.path, { ...entry, bytes: Buffer.concat(parts) })
  }
  return seen
}

function readFile(archive: string): Map<string, Seen> {
  const fd = openSync(archive, "r")
  const seen = new Map<string, Seen>()
  const file = new TarFile(fd)
  for (let entry = file.next(); entry !== undefined; entry = file.next()) {
    const bytes = Buffer.alloc(entry.size)
    for (const { offset, length } of entry.sparse ?? [{ offset: 0, length: entry.size }]) {
      for (let at = 0; at < length; ) {
        const some = file.some(length - at)
        bytes.set(some, offset + at)
        at += some.length
      }
    }
    seen.set(entry.path, { ...entry, bytes })
  }
  closeSync(fd)
  return seen
}

const VARIANTS: readonly (readonly [name: string, ...flags: string[]])[] = [
  ["gnu", "--format=gnu", "--owner=:5000000", "--group=:6000000"],
  ["gnu-sparse", "--format=gnu", "--sparse"],
  ["pax", "--format=pax", "--owner=:5000000", "--group=:6000000"],
  ["pax-sparse-1.0", "--format=pax", "--sparse"],
  ["pax-sparse-0.1", "--format=pax", "--sparse", "--sparse-version=0.1"],
  ["pax-sparse-0.0", "--format=pax", "--sparse", "--sparse-version=0.0"],
]

for (const [name, ...flags] of VARIANTS) {
  test(`an archive of GNU tar with ${flags.join(" ")} is read as the tree it was made of`, async () => {
    const archive = tar(`${name}.tar`, ...flags)
    const streamed = await readStream(archive, 1000)
    const read = readFile(archive)
    expect([...read.keys()]).toEqual([...streamed.keys()])
    for (const [path, entry] of read) expect(entry).toEqual(streamed.get(path)!)

    const at = (path: string): Seen => read.get(path)!
    expect(at(LONG).bytes.toString()).toBe("long")
    expect(at("hard")).toMatchObject({ type: "hardlink", linkPath: LONG, size: 0 })
    expect(at("soft")).toMatchObject({ type: "symlink", linkPath: `../${LONG}` })
    expect(at("empty")).toMatchObject({ type: "file", size: 0 })
    expect(at("größe-日本").bytes.toString()).toBe("unicode")
    expect(at(LATIN).bytes.toString()).toBe("latin")
    expect(at("plain")).toMatchObject({ mode: 0o640, size: 10_000, mtime: 1234567890 })
    if (flags.includes("--format=pax")) expect(at("plain").mtimeNanoseconds).toBe(250_000_000)
    if (flags.includes("--owner=:5000000")) expect(at("plain")).toMatchObject({ uid: 5_000_000, gid: 6_000_000 })
    expect(at("sparse").size).toBe(SPARSE_SIZE)
    expect(at("sparse").bytes.equals(readFileSync(join(root, "tree/sparse")))).toBe(true)
    expect(at("sparse").sparse !== undefined).toBe(flags.includes("--sparse"))
  })
}

test("an archive in plain ustar format is read, with its split long name", async () => {
  const archive = join(root, "ustar.tar")
  const split = `${"p".repeat(90)}/${"n".repeat(95)}`
  mkdirSync(join(root, "tree", split, ".."))
  writeFileSync(join(root, "tree", split), "split")
  const made = Bun.spawnSync(["tar", "-C", join(root, "tree"), "-cf", archive, "--format=ustar", "plain", split])
  expect(made.exitCode).toBe(0)
  expect([...(await readStream(archive, 512)).keys()]).toEqual(["plain", split])
})

test("GNU tar unpacks what writeTar() wrote", async () => {
  const archive = join(root, "ours.tar")
  const parts: Uint8Array[] = []
  for await (const chunk of writeTar([
    { path: "d", type: "directory", mode: 0o700 },
    { path: `d/${LONG}`, type: "file", content: Buffer.from("long"), mode: 0o600, mtime: -7 },
    { path: LATIN, type: "file", content: Buffer.from("latin"), uid: 70_000 },
    { path: "d/hard", type: "hardlink", linkPath: `d/${LONG}` },
    { path: "soft", type: "symlink", linkPath: `../${LONG}` },
    { path: `${"p".repeat(90)}/${"n".repeat(95)}`, type: "file", content: Buffer.from("split") },
  ]))
    parts.push(chunk)
  writeFileSync(archive, Buffer.concat(parts))
  const out = join(root, "out")
  mkdirSync(out)
  const made = Bun.spawnSync(["tar", "-C", out, "-xpf", archive])
  expect(made.stderr.toString().replace(/.*implausibly old.*\n/g, "")).toBe("")
  expect(readFileSync(join(out, "d", LONG), "utf8")).toBe("long")
  expect(lstatSync(join(out, "d/hard")).nlink).toBe(2)
  expect(lstatSync(join(out, "d/hard")).mtimeMs).toBe(-7000)
  expect(readFileSync(Buffer.concat([Buffer.from(`${out}/`), encodeName(LATIN)]), "utf8")).toBe("latin")
  expect(readFileSync(join(out, "p".repeat(90), "n".repeat(95)), "utf8")).toBe("split")
})

test("TarFile keeps extended headers that lie at the end of what it read at once", async () => {
  const archive = join(root, "edges.tar")
  const parts: Uint8Array[] = []
  const paths = Array.from({ length: 40 }, (_, n) => `${LONG}${n}`)
  for await (const chunk of writeTar(
    paths.map((path, n) => ({ path, type: "file", content: Buffer.alloc(n * 300, 0xff), mtimeNanoseconds: n })),
  ))
    parts.push(chunk)
  writeFileSync(archive, Buffer.concat(parts))
  const fd = openSync(archive, "r")
  try {
    for (const window of [512, 1024, 4096]) {
      const file = new TarFile(fd, { window })
      for (const [n, path] of paths.entries())
        expect(file.next()).toMatchObject({ path, size: n * 300, mtimeNanoseconds: n })
    }
  } finally {
    closeSync(fd)
  }
})

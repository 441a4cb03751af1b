// A layer seen through its EROFS index is what GNU tar unpacks, to the nanosecond; and fsck.erofs agrees. Needs root.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test"
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { unmount } from "../../src/lib/syscalls/mount.ts"
import { encodeTarHeader, type TarInput, writeTar } from "../../src/lib/tar/writer.ts"
import { digestOf } from "../../src/oci/digest.ts"
import { mountErofs } from "../../src/snapshot/erofs/mount.ts"
import { writeIndex } from "../../src/snapshot/erofs/writer.ts"
import { FORMATS, makeTree, run, unpackWithTar } from "./sample-tree.ts"
import { describeTree } from "./trees.ts"

setDefaultTimeout(120_000)

const GIB = 2 ** 30
/** The first that knows blocks of 512 bytes. */
const FSCK_SINCE = 1.6

let root: string
let mounted: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dhow-erofs-"))
  mounted = join(root, "mounted")
  mkdirSync(mounted)
})

afterEach(() => {
  unmount(mounted)
  rmSync(root, { recursive: true, force: true })
})

function mountIndex(tar: string): { readonly size: number; readonly files: number; readonly index: string } {
  const index = `${tar}.index`
  const [from, to] = [openSync(tar, "r"), openSync(index, "wx+")]
  const made = writeIndex(digestOf(tar), from, to)
  closeSync(from)
  closeSync(to)
  mountErofs("file", { tar, index }, mounted)
  const { stdout } = Bun.spawnSync(["fsck.erofs", "-V"], { stderr: "pipe" })
  const version = Number(/\d+\.\d+/.exec(stdout.toString())?.[0] ?? 0)
  if (version >= FSCK_SINCE) run("fsck.erofs", `--device=${tar}`, index)
  return { ...made, index }
}

async function archive(entries: Iterable<TarInput>): Promise<string> {
  const tar = join(root, "layer.tar")
  const parts: Uint8Array[] = []
  for await (const chunk of writeTar(entries)) parts.push(chunk)
  writeFileSync(tar, Buffer.concat(parts))
  return tar
}

for (const flags of FORMATS) {
  test(`a tree in an archive made with ${flags.join(" ")} is what GNU tar unpacks`, () => {
    const tar = join(root, "layer.tar")
    run("tar", ...flags, "-C", makeTree(join(root, "tree")), "-cf", tar, ".")
    const { files } = mountIndex(tar)
    const expected = describeTree(unpackWithTar(tar, join(root, "unpacked")))
    const seen = describeTree(mounted)
    expect(files).toBe(expected.size)
    expect([...seen.keys()].sort()).toEqual([...expected.keys()].sort())
    for (const [path, line] of expected) expect([path, seen.get(path)]).toEqual([path, line])
  })
}

test("entries before their parents, twice, and hard links before their targets find their place", async () => {
  const text = (path: string, content: string): TarInput => ({ path, type: "file", content: Buffer.from(content) })
  const tar = await archive([
    text("a/b/c", "first"),
    { path: "early", type: "hardlink", linkPath: "chain" },
    { path: "chain", type: "hardlink", linkPath: "late" },
    text("a/b/c", "last"),
    { path: "a", type: "directory", mode: 0o711, uid: 4, mtime: 99 },
    text("late", "target"),
    text("was-a-file", "x"),
    text("was-a-directory/below", "x"),
    { path: "was-a-file", type: "directory", mode: 0o700 },
    text("was-a-directory", "now a file"),
  ])
  mountIndex(tar)
  expect(readFileSync(join(mounted, "a/b/c"), "utf8")).toBe("last")
  expect(lstatSync(join(mounted, "a"))).toMatchObject({ uid: 4, mtimeMs: 99_000, nlink: 3 })
  expect(readFileSync(join(mounted, "early"), "utf8")).toBe("target")
  expect(lstatSync(join(mounted, "late")).nlink).toBe(3)
  expect(statSync(join(mounted, "was-a-file")).isDirectory()).toBe(true)
  expect(readFileSync(join(mounted, "was-a-directory"), "utf8")).toBe("now a file")
})

test("a directory of 100,000 entries is listed and every name is found", async () => {
  const count = 100_000
  function* entries(): Generator<TarInput> {
    for (let n = 0; n < count; n++) yield { path: `many/name-${(n * 7919) % count}`, type: "file", uid: n }
  }
  mountIndex(await archive(entries()))
  expect(readdirSync(join(mounted, "many"))).toHaveLength(count)
  for (let n = 0; n < count; n += 97) expect(lstatSync(join(mounted, `many/name-${(n * 7919) % count}`)).uid).toBe(n)
  expect(() => lstatSync(join(mounted, "many/name-100000"))).toThrow("ENOENT")
})

test("a file of more than 4 GiB is read at its end, and the one behind it too", () => {
  const tar = join(root, "layer.tar")
  const size = 5 * GIB + 700
  const fd = openSync(tar, "w")
  const header = encodeTarHeader({ path: "large", type: "file", size })
  writeSync(fd, header)
  writeSync(fd, "marker", header.length + size - 6)
  const behind = header.length + Math.ceil(size / 512) * 512
  writeSync(fd, encodeTarHeader({ path: "behind", type: "file", size: 6 }), 0, header.length, behind)
  writeSync(fd, "behind", behind + 512)
  ftruncateSync(fd, behind + 1024 + 1024)
  closeSync(fd)
  mountIndex(tar)
  expect(lstatSync(join(mounted, "large")).size).toBe(size)
  const large = openSync(join(mounted, "large"), "r")
  const end = Buffer.alloc(16)
  expect(readSync(large, end, 0, 16, size - 6)).toBe(6)
  closeSync(large)
  expect(end.toString("latin1", 0, 6)).toBe("marker")
  expect(readFileSync(join(mounted, "behind"), "utf8")).toBe("behind")
})

test("a sparse file of 1 TiB with little in it takes little", () => {
  const tree = join(root, "tree")
  mkdirSync(tree)
  const fd = openSync(join(tree, "sparse"), "w")
  const places = [0, 4096 * 3, 300 * GIB + 4096, 1000 * GIB]
  for (const place of places) writeSync(fd, `at ${place}`, place)
  ftruncateSync(fd, 1024 * GIB)
  closeSync(fd)
  const tar = join(root, "layer.tar")
  run("tar", "--sparse", "--format=pax", "-C", tree, "-cf", tar, ".")
  const { index } = mountIndex(tar)
  expect(statSync(index).blocks * 512).toBeLessThan(1 << 20)
  const sparse = openSync(join(mounted, "sparse"), "r")
  for (const place of places) {
    const text = Buffer.from(`at ${place}`)
    const read = Buffer.alloc(text.length + 1)
    readSync(sparse, read, 0, read.length, place)
    expect(read.toString("latin1")).toBe(`${text}\0`)
  }
  closeSync(sparse)
  expect(statSync(join(mounted, "sparse")).size).toBe(1024 * GIB)
})

test("the same archive always gets the same index", () => {
  const tar = join(root, "layer.tar")
  run("tar", "--format=pax", "-C", makeTree(join(root, "tree")), "-cf", tar, ".")
  const { index } = mountIndex(tar)
  const [from, to] = [openSync(tar, "r"), openSync(join(root, "again"), "wx+")]
  writeIndex(digestOf(tar), from, to)
  closeSync(from)
  closeSync(to)
  expect(readFileSync(join(root, "again")).equals(readFileSync(index))).toBe(true)
})

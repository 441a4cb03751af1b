import { expect, test } from "bun:test"
import { closeSync, openSync } from "node:fs"
import { isKind } from "../../lib/errors.ts"
import { TarFile } from "../../lib/tar/file-reader.ts"
import { TarOutput } from "../../lib/tar/output.ts"
import type { TarInput } from "../../lib/tar/writer.ts"
import { differences } from "./difference.ts"
import { filesOf } from "./files.ts"
import { squash } from "./squash.ts"
import { directory, file, gone, link, opaque, TestLayers } from "./test-layers.ts"

const changes = (tars: readonly string[]) =>
  filesOf(tars, { sort: "path" }).files.map(({ path, change, layer, wasted }) => `${layer} ${change} ${path} ${wasted}`)

const different = (a: readonly string[], b: readonly string[], times = false) =>
  [...differences(a, b, { times })].map((one) =>
    one.kind === "modified" ? `${one.path} ${one.aspects.join(",")}` : `${one.path} ${one.kind}`,
  )

function squashed(layers: TestLayers, tars: readonly string[], from = 0): string {
  const path = layers.path()
  const fd = openSync(path, "w")
  squash(tars, from, new TarOutput(fd))
  closeSync(fd)
  return path
}

function names(tar: string): string[] {
  const fd = openSync(tar, "r")
  const archive = new TarFile(fd)
  const found: string[] = []
  for (let entry = archive.next(); entry !== undefined; entry = archive.next()) found.push(entry.path)
  closeSync(fd)
  return found
}

test("filesOf() counts as wasted what later layers overwrote or removed", async () => {
  using layers = new TestLayers()
  const tars = [
    await layers.layer(directory("d"), file("d/a", "12345"), file("d/b", "123"), file("c", "1")),
    await layers.layer(file("d/a", "1"), gone("d/b"), file("new", "12")),
    await layers.layer(gone("d")),
  ]
  expect(changes(tars)).toEqual([
    "1 added c 0",
    "1 added d 0",
    "3 removed d 0",
    "1 added d/a 0",
    "2 modified d/a 5",
    "3 removed d/a 1",
    "1 added d/b 0",
    "2 removed d/b 3",
    "2 added new 0",
  ])
  expect(filesOf(tars, { sort: "size" }).layers).toEqual([
    { layer: 1, added: 4, modified: 0, removed: 0, size: 9, wasted: 8 },
    { layer: 2, added: 1, modified: 1, removed: 1, size: 3, wasted: 1 },
    { layer: 3, added: 0, modified: 0, removed: 2, size: 0, wasted: 0 },
  ])
  expect(filesOf(tars, { sort: "size", wasted: true }).files.map(({ path }) => path)).toEqual(["d/a", "d/b", "d/a"])
  expect(filesOf(tars, { sort: "path", path: "d", layer: 2 }).files.map(({ path }) => path)).toEqual(["d/a", "d/b"])
})

test("filesOf() counts a file with several names once, and wasted when its last name goes", async () => {
  using layers = new TestLayers()
  const tars = [
    await layers.layer(file("a", "12345"), link("b", "a")),
    await layers.layer(gone("a")),
    await layers.layer(gone("b")),
  ]
  expect(changes(tars)).toEqual(["1 added a 0", "2 removed a 0", "1 added b 0", "3 removed b 5"])
  expect(filesOf(tars, { sort: "path" }).layers.map(({ size, wasted }) => [size, wasted])).toEqual([
    [5, 5],
    [0, 0],
    [0, 0],
  ])
})

test("an opaque directory hides what lower layers have in it, however deep", async () => {
  using layers = new TestLayers()
  const tars = [
    await layers.layer(file("d/a"), file("d/e/b"), file("d/e/c"), file("d/f")),
    await layers.layer(opaque("d"), file("d/e/c", "new"), file("d/f/in")),
  ]
  const all = await layers.layer(file("d/e/c", "new"), file("d/f/in"))
  expect(different(tars, [all])).toEqual([])
})

test("a directory in the place of a file, and a file in the place of a directory", async () => {
  using layers = new TestLayers()
  const tars = [await layers.layer(file("a/b"), file("c")), await layers.layer(file("a"), file("c/d"))]
  const all = await layers.layer(file("a"), file("c/d"))
  expect(different(tars, [all])).toEqual([])
  expect(changes(tars)).toContain("2 removed a/b 3")
})

test("differences() tells what of a file differs", async () => {
  using layers = new TestLayers()
  const before = await layers.layer(
    file("content", "aaaa"),
    file("mode", "", { mode: 0o644 }),
    file("owner", "", { uid: 1 }),
    file("removed"),
    file("same", "x", { mtime: 1 }),
    file("size", "a"),
    { path: "target", type: "symlink", linkPath: "a" },
    file("type"),
    file("xattr", "", { xattrs: new Map([["user.a", Buffer.from("1")]]) }),
    { path: "device", type: "character-device", device: { major: 1, minor: 3 } },
  )
  const after = await layers.layer(
    file("added"),
    file("content", "aaab"),
    file("mode", "", { mode: 0o755 }),
    file("owner", "", { uid: 2 }),
    file("same", "x", { mtime: 2 }),
    file("size", "aa"),
    { path: "target", type: "symlink", linkPath: "b" },
    directory("type"),
    file("xattr", "", { xattrs: new Map([["user.a", Buffer.from("2")]]) }),
    { path: "device", type: "character-device", device: { major: 1, minor: 5 } },
  )
  expect(different([before], [after])).toEqual([
    "added added",
    "content content",
    "device device",
    "mode mode",
    "owner owner",
    "removed removed",
    "size size",
    "target target",
    "type type",
    "xattr xattrs",
  ])
  expect(different([before], [after], true)).toContain("same mtime")
})

test("squash() keeps whiteouts only for what the layers below have", async () => {
  using layers = new TestLayers()
  const base = await layers.layer(file("d/a"), file("d/b"), file("e/a"), file("e/b"), file("f"))
  const middle = await layers.layer(file("x"), gone("d/a"), file("d/y"), gone("f"))
  const top = await layers.layer(gone("x"), gone("nothing"), gone("e/a"), gone("e/b"), link("d/z", "d/y"), file("d/y"))
  const one = squashed(layers, [base, middle, top], 1)
  expect(names(one)).toEqual([".wh.f", "d/", "d/.wh.a", "d/y", "d/z", "e/", "e/.wh..wh..opq"])
  expect(different([base, middle, top], [base, one], true)).toEqual([])
  const all = squashed(layers, [base, middle, top])
  expect(names(all)).toEqual(["d/", "d/b", "d/y", "d/z", "e/"])
  expect(different([base, middle, top], [all], true)).toEqual([])
})

test("squash() keeps attributes, hard links, holes and the root directory", async () => {
  using layers = new TestLayers()
  const sparse: TarInput = {
    path: "sparse",
    type: "file",
    size: 1_000_000,
    sparse: [{ offset: 500_000, length: 3 }],
    content: Buffer.from("abc"),
  }
  const attributes = { mode: 0o4711, uid: 7, gid: 3_000_000, mtime: -5, mtimeNanoseconds: 1 }
  const tars = [
    await layers.layer({ path: "./", type: "directory", mode: 0o700, uid: 3 }, sparse, file("a", "a", attributes)),
    await layers.layer(file("a2", "x", { xattrs: new Map([["user.k", Buffer.of(0, 255)]]) }), link("a3", "a2")),
  ]
  const one = squashed(layers, tars)
  expect(different(tars, [one], true)).toEqual([])
  const fd = openSync(one, "r")
  const archive = new TarFile(fd)
  const entries = [archive.next(), archive.next(), archive.next(), archive.next(), archive.next()]
  closeSync(fd)
  expect(entries).toMatchObject([
    { path: "./", mode: 0o700, uid: 3 },
    { path: "a", ...attributes },
    { path: "a2", xattrs: new Map([["user.k", new Uint8Array([0, 255])]]) },
    { path: "a3", type: "hardlink", linkPath: "a2" },
    { path: "sparse", size: 1_000_000, sparse: [{ offset: 500_000, length: 3 }] },
  ])
})

test("squash() of random layers shows the same tree, whatever it keeps below", async () => {
  let seed = 20
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * below)
  }
  const place = (): string => Array.from({ length: 1 + random(3) }, () => "abc"[random(3)]).join("/")
  const entry = (): TarInput => {
    const path = place()
    switch (random(6)) {
      case 0:
        return gone(path)
      case 1:
        return opaque(path)
      case 2:
        return directory(path, 0o700 + random(8))
      default:
        return file(path, String(random(5)), { mtime: random(3) })
    }
  }
  for (let round = 0; round < 150; round++) {
    using layers = new TestLayers()
    const tars: string[] = []
    while (tars.length < 4) {
      // A path that leads through a file of the same layer makes no layer.
      const tar = await layers.layer(...Array.from({ length: 1 + random(6) }, entry))
      try {
        filesOf([tar], { sort: "path" })
        tars.push(tar)
      } catch (error) {
        if (!isKind(error, "invalid")) throw error
      }
    }
    for (const from of [0, 1, 2]) {
      const one = squashed(layers, tars, from)
      expect(different(tars, [...tars.slice(0, from), one], true)).toEqual([])
    }
  }
})

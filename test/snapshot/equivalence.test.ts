// A layer read through either form is what GNU tar unpacks of it: the same names, modes, owners, times to the nanosecond,
// attributes, links, devices and contents. Needs root.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { closeSync, ftruncateSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, writeSync } from "node:fs"
import { join } from "node:path"
import { digestOf } from "../../src/oci/digest.ts"
import { Fixture, file } from "./fixture.ts"
import { FORMS, opened } from "./forms.ts"
import { FORMATS, makeTree, run, unpackWithTar } from "./sample-tree.ts"
import { describeTree } from "./trees.ts"

setDefaultTimeout(180_000)

const GIB = 2 ** 30
for (const form of FORMS)
  describe(`a layer as ${form}`, () => {
    let fixture: Fixture
    let root: string
    let target: string

    beforeEach(() => {
      fixture = new Fixture(opened(form))
      ;({ root, target } = fixture)
    })

    afterEach(() => fixture[Symbol.asyncDispose]())

    /** Adds the layer, and shows it at `target` as a container would see it. */
    async function show(tar: string): Promise<void> {
      const diffId = digestOf(tar)
      await fixture.snapshotter.addLayer(diffId, tar)
      fixture.snapshotter.view([diffId], target)
    }

    for (const flags of FORMATS)
      test(`of an archive made with ${flags.join(" ")} is what GNU tar unpacks`, async () => {
        const tar = join(root, "layer.tar")
        run("tar", ...flags, "-C", makeTree(join(root, "tree")), "-cf", tar, ".")
        await show(tar)
        const expected = describeTree(unpackWithTar(tar, join(root, "unpacked")))
        const seen = describeTree(target)
        expect([...seen.keys()].sort()).toEqual([...expected.keys()].sort())
        for (const [path, line] of expected) expect([path, seen.get(path)]).toEqual([path, line])
      })

    // Of the other form, erofs-tree.test.ts says more.
    test.if(form === "directory")("holds a directory of 100,000 entries", async () => {
      const count = 100_000
      const diffId = await fixture.layer(
        Array.from({ length: count }, (_, n) => file(`many/${(n * 7919) % count}`, "", { uid: n })),
      )
      fixture.snapshotter.view([diffId], target)
      expect(readdirSync(join(target, "many"))).toHaveLength(count)
      for (let n = 0; n < count; n += 997) expect(lstatSync(join(target, `many/${(n * 7919) % count}`)).uid).toBe(n)
    })

    test("holds a sparse file of more than 4 GiB, and is on disk no larger than its archive", async () => {
      const tree = join(root, "tree")
      mkdirSync(tree)
      const fd = openSync(join(tree, "large"), "w")
      const places = [0, GIB + 512, 4 * GIB - 2, 5 * GIB]
      for (const at of places) writeSync(fd, `at ${at}`, at)
      ftruncateSync(fd, 6 * GIB + 1)
      closeSync(fd)
      const tar = join(root, "layer.tar")
      run("tar", "--sparse", "--format=pax", "-C", tree, "-cf", tar, ".")
      await show(tar)
      expect(lstatSync(join(target, "large")).size).toBe(6 * GIB + 1)
      const large = openSync(join(target, "large"), "r")
      for (const at of places) {
        const text = Buffer.from(`at ${at}`)
        const read = Buffer.alloc(text.length + 1)
        readSync(large, read, 0, read.length, at)
        expect(read.toString("latin1")).toBe(`${text}\0`)
      }
      closeSync(large)
      const used = Bun.spawnSync(["du", "-s", "-B1", join(root, "snapshots")]).stdout.toString()
      expect(Number(used.split("\t")[0])).toBeLessThan(1 << 20)
    })
  })

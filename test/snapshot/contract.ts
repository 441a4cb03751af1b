// What every snapshotter must do, as a function that each implementation's test calls. Needs root: it mounts for real.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isKind } from "../../src/lib/errors.ts"
import { type Digest, digestOf } from "../../src/oci/digest.ts"
import type { Snapshotter } from "../../src/snapshot/contract.ts"
import { Fixture, file, type OpenSnapshotter } from "./fixture.ts"
import { layerContract } from "./layer-contract.ts"

export function snapshotterContract(name: string, open: OpenSnapshotter): void {
  // A layer is made durable behind the caller's back too, which may hold the disk for a while.
  setDefaultTimeout(60_000)
  layerContract(name, open)

  describe(`snapshotter ${name}`, () => {
    let fixture: Fixture
    let root: string
    let target: string
    let snapshotter: Snapshotter

    beforeEach(() => {
      fixture = new Fixture(open)
      ;({ root, target, snapshotter } = fixture)
    })

    afterEach(() => fixture[Symbol.asyncDispose]())

    test("addLayer() is idempotent, also when called twice at once", async () => {
      const { diffId, path } = await fixture.archive([file("a", "1234"), file("b", "56")])
      const [one, two] = await Promise.all([snapshotter.addLayer(diffId, path), snapshotter.addLayer(diffId, path)])
      expect(one).toEqual({ size: 6, files: 2 })
      expect(two).toEqual(one)
      expect(await snapshotter.addLayer(diffId, "/nowhere")).toEqual(one)
      expect(snapshotter.hasLayer(diffId)).toBe(true)
      expect(snapshotter.layerSize(diffId)).toBe(6)
      expect(snapshotter.sweep()).toEqual([])
    })

    test("addLayer() of a damaged archive says invalid and leaves nothing", async () => {
      const path = join(root, "damaged.tar")
      writeFileSync(path, Buffer.alloc(2048, 7))
      const error = await snapshotter.addLayer(digestOf("damaged"), path).catch((error: unknown) => error)
      expect(isKind(error, "invalid")).toBe(true)
      expect(snapshotter.hasLayer(digestOf("damaged"))).toBe(false)
      expect(snapshotter.sweep()).toEqual([])
    })

    test("addLayer() that is cancelled says so and leaves nothing", async () => {
      const { diffId, path } = await fixture.archive([file("a", "1")])
      const before = await snapshotter.addLayer(diffId, path, AbortSignal.abort()).catch((error: unknown) => error)
      const during = await snapshotter.addLayer(diffId, path, AbortSignal.timeout(1)).catch((error: unknown) => error)
      expect(isKind(before, "cancelled")).toBe(true)
      expect(isKind(during, "cancelled")).toBe(true)
      expect(snapshotter.sweep()).toEqual([])
      expect(await snapshotter.addLayer(diffId, path)).toEqual({ size: 1, files: 1 })
    })

    test("mount() shows the layers, the highest first, and what was written survives an unmount", async () => {
      const layers = [
        await fixture.layer([file("a", "low"), file("b", "low")]),
        await fixture.layer([file("b", "high")]),
      ]
      snapshotter.prepare("one", layers)
      snapshotter.mount("one", target)
      expect([fixture.read("a"), fixture.read("b")]).toEqual(["low", "high"])
      writeFileSync(join(target, "a"), "written")
      snapshotter.unmount(target)
      expect(readdirSync(target)).toEqual([])
      snapshotter.mount("one", target)
      expect(fixture.read("a")).toBe("written")
      expect(await snapshotter.usage("one")).toBe(7)
      expect(readFileSync(join(snapshotter.paths("one").upper, "a"), "utf8")).toBe("written")
    })

    test("two snapshots of the same layers do not see one another", async () => {
      const layers = [await fixture.layer([file("a", "low")])]
      snapshotter.prepare("one", layers)
      snapshotter.prepare("two", layers)
      snapshotter.mount("one", target)
      writeFileSync(join(target, "a"), "one")
      snapshotter.unmount(target)
      snapshotter.mount("two", target)
      expect(fixture.read("a")).toBe("low")
    })

    test("prepare() works without layers, and with the same layer twice", async () => {
      snapshotter.prepare("empty", [])
      snapshotter.mount("empty", target)
      writeFileSync(join(target, "a"), "1")
      snapshotter.unmount(target)
      const same = await fixture.layer([file("a", "same")])
      const other = await fixture.layer([{ path: ".wh.a", type: "file" }])
      snapshotter.prepare("twice", [same, other, same])
      snapshotter.mount("twice", target)
      expect(fixture.read("a")).toBe("same")
    })

    test("prepare() refuses a key that exists, a bad key and a layer that is not there", async () => {
      snapshotter.prepare("one", [])
      const kinds = (
        [
          ["one", [], "conflict"],
          ["../one", [], "invalid"],
          ["", [], "invalid"],
          ["two", [digestOf("none")], "not-found"],
        ] as const
      ).map(([key, layers, kind]) => {
        try {
          snapshotter.prepare(key, layers)
        } catch (error) {
          return isKind(error, kind)
        }
        return false
      })
      expect(kinds).toEqual([true, true, true, true])
      expect(() => snapshotter.mount("none", target)).toThrow('No snapshot "none"')
    })

    test("a hundred layers can be mounted", async () => {
      const layers: Digest[] = []
      for (let n = 0; n < 100; n++) layers.push(await fixture.layer([file(`f${n}`, "x"), file("last", String(n))]))
      snapshotter.prepare("many", layers)
      snapshotter.mount("many", target)
      expect(readdirSync(target)).toHaveLength(101)
      expect(fixture.read("last")).toBe("99")
    })

    test("view() shows the layers and refuses writing, for none, one and two of them", async () => {
      const one = await fixture.layer([file("a", "1")])
      const two = await fixture.layer([file("b", "2")])
      for (const layers of [[], [one], [one, two]]) {
        snapshotter.view(layers, target)
        expect(readdirSync(target)).toHaveLength(layers.length)
        expect(() => writeFileSync(join(target, "c"), "3")).toThrow("EROFS")
        snapshotter.unmount(target)
      }
    })

    test("removeLayer() says conflict while a snapshot stands on the layer", async () => {
      const diffId = await fixture.layer([file("a", "1")])
      snapshotter.prepare("one", [diffId])
      expect(isKind(await snapshotter.removeLayer(diffId).catch((error: unknown) => error), "conflict")).toBe(true)
      await snapshotter.remove("one")
      await snapshotter.removeLayer(diffId)
      expect(snapshotter.hasLayer(diffId)).toBe(false)
      expect(isKind(await snapshotter.removeLayer(diffId).catch((error: unknown) => error), "not-found")).toBe(true)
    })

    test("usage() counts and remove() takes away what was written, also deeper than a path may be long", async () => {
      snapshotter.prepare("one", [])
      const { upper } = snapshotter.paths("one")
      const dig = `cd "$1" && for i in $(seq 200); do mkdir ${"d".repeat(100)} && cd -P ${"d".repeat(100)} || exit 1; done; printf x > "$(printf '\\351')"`
      expect(Bun.spawnSync(["bash", "-c", dig, "dig", upper]).exitCode).toBe(0)
      writeFileSync(join(upper, "d".repeat(100), "two names"), "12")
      linkSync(join(upper, "d".repeat(100), "two names"), join(upper, "other name"))
      expect(await snapshotter.usage("one")).toBe(3)
      await snapshotter.remove("one")
      await snapshotter.remove("one")
      expect(existsSync(upper)).toBe(false)
      expect(snapshotter.sweep()).toEqual([])
      expect(() => snapshotter.paths("one")).toThrow('No snapshot "one"')
    })

    test("sweep() removes directories that no row names and nothing else", async () => {
      const kept = await fixture.layer([file("a", "1")])
      snapshotter.prepare("kept", [kept])
      for (const name of ["stray", ".new-half"]) mkdirSync(join(root, "snapshots", name, "deep"), { recursive: true })
      const removed = snapshotter.sweep()
      expect(removed.map((path) => path.slice(root.length + 1)).sort()).toEqual([
        "snapshots/.new-half",
        "snapshots/stray",
      ])
      expect(existsSync(join(root, "snapshots/stray"))).toBe(false)
      snapshotter.mount("kept", target)
      expect(fixture.read("a")).toBe("1")
    })

    test("prepare() takes over a directory that a crash left without a row", () => {
      mkdirSync(join(root, "snapshots/one/upper"), { recursive: true })
      writeFileSync(join(root, "snapshots/one/upper/left"), "x")
      snapshotter.prepare("one", [])
      snapshotter.mount("one", target)
      expect(readdirSync(target)).toEqual([])
      expect(statSync(target).mode & 0o7777).toBe(0o755)
    })

    test("a snapshotter that is opened again knows the layers and snapshots", async () => {
      const diffId = await fixture.layer([file("a", "1")])
      snapshotter.prepare("one", [diffId])
      const again = fixture.again()
      expect(again.hasLayer(diffId)).toBe(true)
      again.mount("one", target)
      expect(fixture.read("a")).toBe("1")
    })
  })
}

// Layers of both forms over one state, as after a change of the host or of the configuration. Needs root.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Digest } from "../../src/oci/digest.ts"
import type { Snapshotter } from "../../src/snapshot/contract.ts"
import { unpackedLayers } from "../../src/snapshot/directory.ts"
import { probeErofs } from "../../src/snapshot/erofs/mount.ts"
import { openSnapshotter, type StorageDriver } from "../../src/snapshot/open.ts"
import { OverlaySnapshotter } from "../../src/snapshot/overlay-snapshotter.ts"
import { Fixture, file } from "./fixture.ts"

const internalCommand = [process.execPath, join(import.meta.dir, "internal.ts")]

const place = mkdtempSync(join(tmpdir(), "dhow-mixed-"))
const withErofs = test.skipIf(probeErofs(join(place, "probe")) === undefined)
rmSync(place, { recursive: true })

let fixture: Fixture

beforeEach(() => {
  fixture = new Fixture((database, directory) => {
    const forms = [unpackedLayers({ internalCommand })] as const
    return new OverlaySnapshotter(database, directory, { forms, reason: "this host is said to have no EROFS" })
  })
})

afterEach(() => fixture[Symbol.asyncDispose]())

function open(driver: StorageDriver): Snapshotter {
  const [directory, mounts] = [join(fixture.root, "snapshots"), join(fixture.root, "mounts")]
  return openSnapshotter(fixture.database, { driver, directory, mounts, internalCommand })
}

type Layer = { readonly diffId: Digest; readonly path: string }

async function add(snapshotter: Snapshotter, name: string): Promise<Layer> {
  const layer = await fixture.archive([file(name, name), file("top", name)])
  await snapshotter.addLayer(layer.diffId, layer.path)
  return layer
}

withErofs("a stack of layers in either form shows them all, whichever form new layers get", async () => {
  const low = await add(open("directory"), "low")
  const middle = await add(open("auto"), "middle")
  const top = await add(open("directory"), "top-layer")
  const stack = [low, middle, top].map(({ diffId }) => diffId)
  for (const driver of ["erofs", "directory", "auto"] as const) {
    const snapshotter = open(driver)
    expect(stack.map((layer) => snapshotter.hasLayer(layer))).toEqual([true, true, true])
    const counts = snapshotter.status().layers.toSorted((a, b) => (a.form < b.form ? -1 : 1))
    expect(counts).toEqual([
      { form: "directory", count: 2 },
      { form: "erofs", count: 1 },
    ])
    snapshotter.prepare(driver, stack)
    snapshotter.mount(driver, fixture.target)
    expect(["low", "middle", "top-layer", "top"].map((name) => fixture.read(name))).toEqual([
      ...["low", "middle", "top-layer", "top-layer"],
    ])
    snapshotter.unmount(fixture.target)
    expect(snapshotter.sweep()).toEqual([])
    await snapshotter.remove(driver)
  }
})

withErofs("layers that a host can no longer mount are not there, can be made anew, and leave nothing", async () => {
  const one = await add(open("erofs"), "one")
  const two = await add(open("erofs"), "two")
  const elsewhere = fixture.snapshotter
  expect(elsewhere.hasLayer(one.diffId)).toBe(false)
  await elsewhere.addLayer(one.diffId, one.path)
  elsewhere.prepare("key", [one.diffId])
  elsewhere.mount("key", fixture.target)
  expect(fixture.read("one")).toBe("one")
  await elsewhere.removeLayer(two.diffId)
  expect(elsewhere.sweep()).toHaveLength(1)
  expect(readdirSync(join(fixture.root, "snapshots")).filter((name) => !name.startsWith("."))).toHaveLength(2)
  expect(open("auto").hasLayer(one.diffId)).toBe(true)
})

test("a host says why it keeps new layers as it does", () => {
  expect(fixture.snapshotter.status()).toEqual({
    reason: "this host is said to have no EROFS",
    layers: [{ form: "directory", count: 0 }],
  })
  expect(open("directory").status().reason).toBe("configured")
})

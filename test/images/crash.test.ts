// The image store after a SIGKILL between any two of its steps: an image is there whole or not at all, and nothing that
// no row names stays on disk.
import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, unlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseDigest } from "../../src/oci/digest.ts"
import { file, filters, never, openFixture, streamFrom, tarOf } from "./fixture.ts"

const POINTS = [
  "content.ingest:before-rename",
  "content.ingest:before-row",
  "snapshot.add-layer:before-rename",
  "snapshot.add-layer:before-row",
  "images.commit:before-rows",
  "snapshot.remove-layer:before-files",
  "gc:before-blobs",
  "content.remove:before-file",
  "content.remove:before-unlink",
]

test.each(POINTS)("after a crash at %s nothing half-made is left", async (point) => {
  const root = mkdtempSync(join(tmpdir(), "dhow-images-crash-"))
  const { signal, stderr } = spawnSync(process.execPath, [join(import.meta.dir, "crash-child.ts"), root], {
    env: { ...process.env, DHOW_CRASH_AT: point },
    encoding: "utf8",
  })
  expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" })

  using f = openFixture(root)
  f.content.sweep()
  f.snapshotter.sweep()
  await f.images.reconcile()
  expect(await f.images.list({ all: true, filters: filters(), sharedSize: true, manifests: true })).toEqual([])
  expect([...f.content.list()]).toEqual([])
  expect(readdirSync(join(root, "content/sha256"))).toEqual([])
  const left = readdirSync(join(root, "snapshots")).filter((name) => !name.startsWith("."))
  expect(left).toEqual([])
})

test("after a crash before a platform has come to its name it is there without one, and the next build names it", async () => {
  const root = mkdtempSync(join(tmpdir(), "dhow-images-crash-"))
  const { signal, stderr } = spawnSync(process.execPath, [join(import.meta.dir, "crash-distro-child.ts"), root], {
    env: { ...process.env, DHOW_CRASH_AT: "images.distro:before-tag" },
    encoding: "utf8",
  })
  expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" })
  using f = openFixture(root)
  f.content.sweep()
  f.snapshotter.sweep()
  await f.images.reconcile()
  const rows = async () => await f.images.list({ all: true, filters: filters(), sharedSize: false, manifests: false })
  expect((await rows()).map(({ RepoTags }) => RepoTags)).toEqual([[]])
  await f.images.pull("distro.local/busybox", { progress: f.progress, signal: never() })
  expect((await rows()).map(({ RepoTags }) => RepoTags)).toEqual([["distro.local/busybox:latest"]])
  expect(readdirSync(join(root, "tmp"))).toEqual([])
})

test("an image whose files a power failure took is forgotten, and the others stay", async () => {
  using f = openFixture()
  const importText = async (name: string) => {
    const archive = streamFrom(await tarOf([file("greeting", name)]))
    return await f.images.import(archive, { reference: name, changes: [], progress: f.progress, signal: never() })
  }
  const lost = await importText("lost:1")
  const kept = await importText("kept:1")
  const [layer] = f.images.resolve(kept.id).layers
  unlinkSync(f.content.path(parseDigest(lost.id)))
  f.database.query<never, { layer: string }>("DELETE FROM layers WHERE diff_id = $layer").run({ layer: layer! })
  await f.images.reconcile()
  const rows = await f.images.list({ all: true, filters: filters(), sharedSize: true, manifests: true })
  expect(rows.map((row) => row.RepoTags)).toEqual([["kept:1"]])
  expect(() => f.images.resolve("lost:1")).toThrow("No such image")
  expect(f.snapshotter.hasLayer(layer!)).toBe(true)
})

// Pulls and pushes after a SIGKILL between any two of their steps: an image is here, or there, whole or not at all, and
// the next try goes through.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { digestOf } from "../../src/oci/digest.ts"
import { MEDIA_TYPE } from "../../src/oci/manifest.ts"
import { hostPlatform } from "../../src/oci/platform.ts"
import { filters, never, openFixture } from "../images/fixture.ts"
import { addFaultImage } from "../support/fault-image.ts"
import { FaultRegistry } from "../support/fault-registry.ts"

const LISTING = { all: true, filters: filters(), sharedSize: false, manifests: false }
let from: FaultRegistry
let to: FaultRegistry
let source: string
let target: string

beforeEach(async () => {
  from = new FaultRegistry()
  to = new FaultRegistry()
  source = `${await from.listen()}/app:1`
  target = `${await to.listen()}/app:1`
})
afterEach(() => {
  from.close()
  to.close()
})

async function killedAt(point: string, root: string, verb: "pull" | "push"): Promise<void> {
  const [name, passes = "0"] = point.split(" after ")
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "transfer-child.ts"), root, verb, verb === "pull" ? source : target],
    {
      env: { ...process.env, DHOW_CRASH_AT: name, DHOW_CRASH_AFTER: passes },
      stdio: ["ignore", "ignore", "pipe"],
    },
  )
  const complaint = await child.stderr.text()
  await child.exited
  expect({ signal: child.signalCode, complaint }).toEqual({ signal: "SIGKILL", complaint: "" })
}

test.each([
  "images.pull:part-kept after 3",
  "images.pull:part-kept after 30",
  "content.ingest:before-rename",
  "content.ingest:before-row after 2",
  "snapshot.add-layer:before-row",
  "images.commit:before-rows",
])(
  "a pull killed at %s leaves no image, and the next one fetches only what is missing",
  async (point) => {
    const { size, layer } = await addFaultImage(from, randomBytes(20 << 20))
    const root = mkdtempSync(join(tmpdir(), "dhow-pull-crash-"))
    await killedAt(point, root, "pull")
    using f = openFixture(root)
    f.content.sweep()
    f.snapshotter.sweep()
    await f.images.reconcile()
    expect(await f.images.list(LISTING)).toEqual([])
    expect([...f.content.list()]).toEqual([])
    const kept = readdirSync(join(root, "content/ingest"))
    from.seen.length = 0
    await f.images.pull(source, { progress: f.progress, signal: never() })
    expect(await f.images.list(LISTING)).toHaveLength(1)
    expect(readdirSync(join(root, "content/ingest"))).toEqual([])
    const asked = from.sent("GET", layer).reduce((sum, { headers }) => {
      const [, first = "0", last = String(size - 1)] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? []
      return sum + Number(last) - Number(first) + 1
    }, 0)
    if (kept.length > 0) expect(asked).toBeLessThan(size)
  },
  30_000,
)

test.each(["images.push:layer-sent", "images.push:before-manifest", "images.push:before-index"])(
  "a push killed at %s leaves nothing under the name, and the next one sends the rest",
  async (point) => {
    const { manifest, layer, size } = await addFaultImage(from, randomBytes(2 << 20), "plain")
    const index = from.addManifest(
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.ociIndex,
        manifests: [{ ...manifest, platform: hostPlatform() }],
      },
      "1",
    )
    const root = mkdtempSync(join(tmpdir(), "dhow-push-crash-"))
    {
      const f = openFixture(root)
      await f.images.pull(source, { progress: f.progress, signal: never() })
      await f.images.tag(source, target)
      f.database.close()
    }
    await killedAt(point, root, "push")
    expect(to.manifests.has("1")).toBe(false)
    using f = openFixture(root)
    await f.images.reconcile()
    await f.images.push(target, { progress: f.progress, signal: never() })
    expect(digestOf(to.manifests.get("1")!.bytes)).toBe(index.digest)
    expect(to.blobs.get(layer)?.length).toBe(size)
    // What was there already was not sent again.
    expect(to.sent("PUT", layer).length + to.sent("PUT", encodeURIComponent(layer)).length).toBe(1)
  },
  30_000,
)

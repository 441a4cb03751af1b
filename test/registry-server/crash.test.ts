// The registry after a SIGKILL between any two of its steps: what was pushed is there whole or not at all, the same push
// goes through afterwards, and what nobody names is collected.
import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openFixture } from "../images/fixture.ts"
import { TestServer, uploadsOf } from "./fixture.ts"

/** At each point, and after some earlier passes of it. */
const POINTS: readonly (readonly [string, number])[] = [
  ["registry.upload:before-rows", 0],
  ["registry.upload:before-rows", 3],
  ["registry.manifest:before-rows", 0],
  ["registry.manifest:before-rows", 2],
  ["registry.gc:before-blobs", 0],
  ["content.ingest:before-rename", 0],
  ["content.ingest:before-row", 1],
  ["content.remove:before-file", 0],
  ["gc:before-blobs", 0],
]

type Manifest = { readonly config: { digest: string }; readonly layers: readonly { digest: string }[] }

test.each(POINTS)(
  "killed at %s, after %d earlier passes, it is as if the step had not begun or had ended",
  async (point, after) => {
    const root = mkdtempSync(join(tmpdir(), "dhow-registry-crash-"))
    const { signal } = spawnSync(process.execPath, [join(import.meta.dir, "crash-child.ts"), root], {
      env: { ...process.env, DHOW_CRASH_AT: point, DHOW_CRASH_AFTER: String(after) },
      encoding: "utf8",
    })
    expect(signal).toBe("SIGKILL")

    using server = new TestServer({}, openFixture(root))
    const { content, images, snapshotter } = server.fixture
    content.sweep()
    snapshotter.sweep()
    await images.reconcile()
    const list = await server.send("GET", "/v2/team/app/tags/list")
    const { tags = [] } = (await list.json()) as { tags?: readonly string[] }
    for (const tag of tags) {
      const manifest = (await (await server.expect(200, "GET", `/v2/team/app/manifests/${tag}`)).json()) as Manifest
      for (const { digest } of [manifest.config, ...manifest.layers])
        await (await server.expect(200, "GET", `/v2/team/app/blobs/${digest}`)).arrayBuffer()
    }
    for (const tag of ["1", "2", "3"]) await server.pushImage("team/app", tag)
    await server.registry.gc({ grace: 0, untagged: true })
    // Three manifests, three configurations, three layers, and nothing else.
    expect([...content.list()]).toHaveLength(9)
    expect(readdirSync(join(root, "content/sha256"))).toHaveLength(9)
    expect(readdirSync(join(root, "content/ingest"))).toEqual([])
    expect(readdirSync(uploadsOf(server))).toEqual([])
  },
)

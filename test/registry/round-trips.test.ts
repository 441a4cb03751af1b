// Images between dhow and the other engines, through a registry and both ways: everybody sees the same digest, and what
// others made leaves dhow again, for the same registry or another, as it came.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { digestOf } from "../../src/oci/digest.ts"
import { type Fixture, file, never, openFixture, streamFrom, tarOf } from "../images/fixture.ts"
import { type OtherEngine, openOtherEngine } from "../support/other-engines.ts"
import { hasRegistry, skopeo, TestRegistry } from "../support/registry.ts"

const isRoot = process.getuid?.() === 0
const has = {
  docker: Bun.which("dockerd") !== null && Bun.which("docker") !== null,
  podman: Bun.which("podman") !== null,
}

let registry: TestRegistry
let other: TestRegistry
let f: Fixture

if (hasRegistry) {
  beforeAll(async () => {
    registry = await TestRegistry.start()
    other = await TestRegistry.start()
  })
  afterAll(async () => {
    await registry.stop()
    await other.stop()
  })
}
beforeEach(() => {
  f = openFixture()
})
afterEach(() => f[Symbol.dispose]())

const options = () => ({ progress: f.progress, signal: never() })
const raw = (name: string): string => skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}`)
const text = Array.from({ length: 30_000 }, (_, at) => `line ${at * at}\n`).join("")

async function make(name: string): Promise<void> {
  const tar = await tarOf([file("text", text), file("random", randomBytes(300_000))])
  await f.images.import(streamFrom(tar), { reference: name, changes: ["CMD cat /text"], ...options() })
}

async function onward(name: string, path: string): Promise<void> {
  const came = raw(name)
  await f.images.pull(name, options())
  for (const { host } of [registry, other]) {
    const there = `${host}/${path}/onward:1`
    await f.images.tag(name, there)
    await f.images.push(there, { ...options(), sameDigest: true })
    expect(raw(there)).toBe(came)
  }
}

for (const engine of ["docker", "podman"] as const)
  describe.skipIf(!hasRegistry || !isRoot || !has[engine])(`with ${engine}`, () => {
    let there: OtherEngine
    beforeAll(async () => {
      there = await openOtherEngine(engine)
    }, 30_000)
    afterAll(() => there.close(), 30_000)

    test("what dhow pushes is pulled under the same digest, with gzip, zstd and plain layers", async () => {
      // Docker has read zstd since version 23.
      const version = Number(
        (await there.run(["version", "--format", "{{.Server.Version}}"]).catch(() => "99")).split(".")[0],
      )
      const kinds = engine === "docker" && version < 23 ? (["gzip"] as const) : (["gzip", "zstd", "none"] as const)
      for (const kind of kinds) {
        const name = `${registry.host}/${engine}-from-dhow-${kind}:1`
        await make(name)
        await f.images.push(name, { ...options(), compression: { kind } })
        await there.run(["pull", ...there.plain, name])
        const seen = await there.run(["image", "inspect", "--format", "{{json .RepoDigests}}", name])
        expect(JSON.parse(seen)).toContain(`${name.replace(/:1$/, "")}@${digestOf(raw(name))}`)
      }
    }, 60_000)

    test("what it pushes is pulled here under the same digest, and goes on as it came", async () => {
      const name = `${registry.host}/from-${engine}:1`
      const tar = await tarOf([file("text", text), file("random", randomBytes(300_000))])
      await there.run(["import", "-", name], tar)
      await there.run(["push", ...there.plain, name])
      await onward(name, engine)
      expect(f.images.resolve(`${name.replace(/:1$/, "")}@${digestOf(raw(name))}`).references).toContain(name)
    }, 60_000)
  })

describe.skipIf(!hasRegistry)("with skopeo", () => {
  test("what dhow pushes is copied with its digest kept, through a directory and back", async () => {
    const name = `${registry.host}/for-skopeo:1`
    await make(name)
    await f.images.push(name, options())
    const directory = join(f.root, "copy")
    skopeo("copy", "--preserve-digests", "--src-tls-verify=false", `docker://${name}`, `dir:${directory}`)
    const back = `${other.host}/from-skopeo:1`
    skopeo("copy", "--preserve-digests", "--dest-tls-verify=false", `dir:${directory}`, `docker://${back}`)
    expect(raw(back)).toBe(raw(name))
    using second = openFixture()
    await second.images.pull(back, { progress: second.progress, signal: never() })
    expect(second.images.resolve(back).id).toBe(f.images.resolve(name).id)
  })
})

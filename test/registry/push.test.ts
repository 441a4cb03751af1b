// Pushing to a real registry: skopeo reads what arrived, and what was pulled goes back with the digest that it came with.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { parsePlatform } from "../../src/oci/platform.ts"
import { type Fixture, file, filters, never, openFixture, streamFrom, tarOf } from "../images/fixture.ts"
import { hasRegistry, Relay, skopeo, TestRegistry } from "../support/registry.ts"

const LISTING = { all: false, filters: filters(), sharedSize: false, manifests: false }

describe.skipIf(!hasRegistry)("push to a registry", () => {
  let registry: TestRegistry
  let f: Fixture

  beforeAll(async () => {
    registry = await TestRegistry.start()
  })
  afterAll(() => registry.stop())
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => f[Symbol.dispose]())

  async function make(reference: string, text: string): Promise<string> {
    const tar = await tarOf([file("greeting", text)])
    const options = { reference, changes: ["CMD cat /greeting"], progress: f.progress, signal: never() }
    return (await f.images.import(streamFrom(tar), options)).id
  }
  const push = (reference: string, more: { auth?: string } = {}) =>
    f.images.push(reference, { progress: f.progress, signal: never(), ...more })
  const statuses = (): string[] => f.lines.flatMap(({ id, status }) => (id === undefined ? [] : [status ?? ""]))
  const remote = (name: string) =>
    JSON.parse(skopeo("inspect", "--tls-verify=false", `docker://${name}`)) as { Digest: string; Layers: string[] }
  const failure = async (work: Promise<unknown>): Promise<string> =>
    await work.then(
      () => "it succeeded",
      (error: unknown) => (error as Error).message,
    )

  test("a new image arrives whole, and a second push finds everything there", async () => {
    const name = `${registry.host}/new:1`
    const id = await make(name, "hello")
    await push(name)
    const { Digest } = remote(name)
    const raw = JSON.parse(skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}`)) as {
      config: { digest: string }
    }
    expect(raw.config.digest).toBe(id)
    skopeo("copy", "--src-tls-verify=false", `docker://${name}`, `dir:${join(f.root, "copy")}`)
    const aux = f.lines.find((line) => line.aux !== undefined)?.aux
    expect(aux).toMatchObject({ Tag: "1", Digest })
    expect(f.lines[0]?.status).toBe(`The push refers to repository [${registry.host}/new]`)
    expect(statuses()).toContain("Pushed")
    expect((await f.images.list(LISTING))[0]?.RepoDigests).toEqual([`${registry.host}/new@${Digest}`])
    f.lines.length = 0
    await push(name)
    expect(statuses()).toEqual(["Preparing", "Layer already exists"])
    expect(remote(name).Digest).toBe(Digest)
  })

  test("what was pulled goes back under the digest that it came with", async () => {
    const name = `${registry.host}/round:1`
    await make(name, "round trip")
    await push(name)
    const { Digest } = remote(name)
    using other = openFixture()
    const options = { progress: other.progress, signal: never() }
    await other.images.pull(name, options)
    await other.images.tag(name, `${registry.host}/elsewhere:2`)
    await other.images.push(`${registry.host}/elsewhere:2`, options)
    expect(remote(`${registry.host}/elsewhere:2`).Digest).toBe(Digest)
    expect(other.lines.map((line) => line.status)).toContain("Mounted from round")
  })

  test("a registry that has nothing of it gets the same digest again: compression is deterministic", async () => {
    const name = `${registry.host}/det:1`
    await make(name, "deterministic")
    await push(name)
    const { Digest } = remote(name)
    const second = await TestRegistry.start()
    try {
      const there = `${second.host}/det:1`
      using other = openFixture()
      const options = { progress: other.progress, signal: never() }
      await other.images.pull(name, options)
      await other.images.tag(name, there)
      await other.images.push(there, options)
      expect(remote(there).Digest).toBe(Digest)
    } finally {
      await second.stop()
    }
  })

  test("all tags of a repository go, and what is not here is said", async () => {
    const { host } = registry
    await make(`${host}/many:a`, "a")
    await make(`${host}/many:b`, "b")
    await push(`${host}/many`)
    expect(remote(`${host}/many:a`).Digest).not.toBe(remote(`${host}/many:b`).Digest)
    expect(await failure(push(`${host}/none:1`))).toBe(`An image does not exist locally with the tag: ${host}/none`)
    expect(await failure(push(`${host}/many:c`))).toBe(`tag does not exist: ${host}/many:c`)
  })

  test("several platforms under one name go as one index", async () => {
    const name = `${registry.host}/both:1`
    const second = openFixture()
    for (const architecture of ["amd64", "arm64"]) {
      const tar = await tarOf([file("arch", architecture)])
      await f.images.import(streamFrom(tar), {
        reference: `${name}-${architecture}`,
        changes: [],
        platform: parsePlatform(architecture),
        progress: f.progress,
        signal: never(),
      })
      await push(`${name}-${architecture}`)
    }
    const manifests = ["amd64", "arm64"].map((architecture) => {
      const raw = skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}-${architecture}`)
      const mediaType = "application/vnd.oci.image.manifest.v1+json"
      const digest = remote(`${name}-${architecture}`).Digest
      return { mediaType, digest, size: Buffer.byteLength(raw), platform: { os: "linux", architecture } }
    })
    const mediaType = "application/vnd.oci.image.index.v1+json"
    const body = JSON.stringify({ schemaVersion: 2, mediaType, manifests })
    const put = await fetch(`http://${registry.host}/v2/both/manifests/1`, {
      method: "PUT",
      headers: { "content-type": mediaType },
      body,
    })
    expect(put.status).toBe(201)
    try {
      const options = { progress: second.progress, signal: never() }
      for (const architecture of ["amd64", "arm64"])
        await second.images.pull(name, { ...options, platform: parsePlatform(architecture) })
      await second.images.tag(name, `${registry.host}/copied:1`)
      await second.images.push(`${registry.host}/copied:1`, options)
      expect(skopeo("inspect", "--raw", "--tls-verify=false", `docker://${registry.host}/copied:1`)).toBe(body)
    } finally {
      second[Symbol.dispose]()
    }
  })

  test("a registry that wants a password gets it from the header", async () => {
    const guarded = await TestRegistry.start({ users: { alice: "wonder:land" } })
    try {
      const name = `${guarded.host}/secret:1`
      await make(name, "secret")
      expect(await failure(push(name))).toContain("no basic auth credentials")
      const auth = Buffer.from(JSON.stringify({ username: "alice", password: "wonder:land" })).toString("base64url")
      await push(name, { auth })
      expect(skopeo("inspect", "--tls-verify=false", "--creds=alice:wonder:land", `docker://${name}`)).toContain(
        "sha256",
      )
    } finally {
      await guarded.stop()
    }
  })

  test("a push through a connection that breaks begins the layer anew", async () => {
    const relay = new Relay(registry.host)
    const host = await relay.listen()
    try {
      relay.breakUploads = 2
      await make(`${host}/broken:1`, "x".repeat(3 << 20))
      await push(`${host}/broken:1`)
      expect(remote(`${registry.host}/broken:1`).Layers).toHaveLength(1)
      expect(relay.breakUploads).toBe(0)
    } finally {
      relay.close()
    }
  })
})

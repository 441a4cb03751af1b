// Pulling from a real registry that skopeo has filled: same images, same digests, everything or nothing.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { digestOf } from "../../src/oci/digest.ts"
import { hostPlatform, parsePlatform } from "../../src/oci/platform.ts"
import { bytesOf, type Fixture, file, filters, never, openFixture, streamFrom, tarOf } from "../images/fixture.ts"
import { hasRegistry, Relay, skopeo, TestRegistry } from "../support/registry.ts"

const LISTING = { all: false, filters: filters(), sharedSize: false, manifests: false }

describe.skipIf(!hasRegistry)("pull from a registry", () => {
  let registry: TestRegistry
  let f: Fixture
  const relays: Relay[] = []

  beforeAll(async () => {
    registry = await TestRegistry.start()
  })
  afterAll(() => registry.stop())
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => {
    f[Symbol.dispose]()
    for (const relay of relays.splice(0)) relay.close()
  })

  /** Makes an image elsewhere and has skopeo push it; its id. */
  async function push(name: string, text: string | Uint8Array, options: { platform?: string; tags?: string[] } = {}) {
    using source = openFixture()
    const tar = await tarOf([file("greeting", text), file("etc/hostname", "x")])
    const { id } = await source.images.import(streamFrom(tar), {
      reference: "made:1",
      changes: ["CMD cat /greeting"],
      platform: parsePlatform(options.platform ?? "amd64"),
      progress: source.progress,
      signal: never(),
    })
    const path = join(source.root, "image.tar")
    writeFileSync(path, await bytesOf(await source.images.save(["made:1"], { signal: never() })))
    const tags = options.tags ?? ["latest"]
    for (const tag of tags)
      skopeo("copy", "--dest-tls-verify=false", `docker-archive:${path}`, `docker://${registry.host}/${name}:${tag}`)
    return id
  }
  const pull = (reference: string, options: { platform?: string; auth?: string; signal?: AbortSignal } = {}) =>
    f.images.pull(reference, {
      progress: f.progress,
      signal: options.signal ?? never(),
      ...(options.auth === undefined ? {} : { auth: options.auth }),
      ...(options.platform === undefined ? {} : { platform: parsePlatform(options.platform) }),
    })
  const statuses = (): string[] => f.lines.map(({ id, status }) => (id === undefined ? status! : `${id}: ${status}`))
  const failure = async (work: Promise<unknown>): Promise<string> =>
    await work.then(
      () => "it succeeded",
      (error: unknown) => (error as Error).message,
    )
  async function relayed(): Promise<{ relay: Relay; host: string }> {
    const relay = new Relay(registry.host)
    relays.push(relay)
    return { relay, host: await relay.listen() }
  }

  test("an image arrives with its id, its names and its files, and is then up to date", async () => {
    const id = await push("plain", "hello")
    const name = `${registry.host}/plain`
    await pull(`${name}:latest`)
    const [image] = await f.images.list(LISTING)
    const digest = skopeo("inspect", "--tls-verify=false", "--format={{.Digest}}", `docker://${name}:latest`).trim()
    expect(image).toMatchObject({ Id: id, RepoTags: [`${name}:latest`], RepoDigests: [`${name}@${digest}`] })
    expect(f.images.resolve(`${name}@${digest}`).config.config?.Cmd).toEqual(["/bin/sh", "-c", "cat /greeting"])
    expect(f.events).toEqual([`pull ${name}`])
    const lines = statuses()
    expect(lines[0]).toBe(`latest: Pulling from ${name}`)
    for (const status of ["Pulling fs layer", "Download complete", "Extracting", "Pull complete"])
      expect(lines.some((line) => line.endsWith(`: ${status}`))).toBe(true)
    expect(lines.slice(-2)).toEqual([`Digest: ${digest}`, `Status: Downloaded newer image for ${name}:latest`])
    f.lines.length = 0
    await pull(`${name}:latest`)
    expect(statuses().slice(1)).toEqual([
      expect.stringContaining(": Already exists"),
      `Digest: ${digest}`,
      `Status: Image is up to date for ${name}:latest`,
    ])
    // The compressed original is not kept, nor anything else.
    expect([...f.content.list()]).toHaveLength(3)
    expect(readdirSync(join(f.root, "content/ingest"))).toEqual([])
  })

  test("by digest, and all tags of a repository", async () => {
    const id = await push("tags", "tagged", { tags: ["a", "b"] })
    const name = `${registry.host}/tags`
    const digest = skopeo("inspect", "--tls-verify=false", "--format={{.Digest}}", `docker://${name}:a`).trim()
    await pull(`${name}:ignored@${digest}`)
    expect(await f.images.list(LISTING)).toMatchObject([{ Id: id, RepoTags: [], RepoDigests: [`${name}@${digest}`] }])
    await pull(name)
    const [image] = await f.images.list(LISTING)
    expect(image?.RepoTags.toSorted()).toEqual([`${name}:a`, `${name}:b`])
    expect(statuses().at(-1)).toBe(`Status: Downloaded newer image for ${name}`)
  })

  test("what is not there is said in Docker's words, and leaves nothing", async () => {
    await push("there", "x")
    const { host } = registry
    expect(await failure(pull(`${host}/there:9`))).toStartWith(
      `manifest for ${host}/there:9 not found: manifest unknown: manifest unknown`,
    )
    expect(await failure(pull(`${host}/absent:9`))).toContain("not found")
    expect([...f.content.list()]).toEqual([])
    expect(f.lines).toEqual([])
  })

  test("of an index the platform is taken that fits, and several stay under one name", async () => {
    const name = `${registry.host}/multi`
    const manifests = []
    for (const architecture of ["amd64", "arm64"]) {
      await push("multi", architecture, { platform: architecture, tags: [architecture] })
      const raw = skopeo("inspect", "--tls-verify=false", "--raw", `docker://${name}:${architecture}`)
      const mediaType = (JSON.parse(raw) as { mediaType: string }).mediaType
      manifests.push({ mediaType, digest: digestOf(raw), size: raw.length, platform: { os: "linux", architecture } })
    }
    const mediaType = "application/vnd.docker.distribution.manifest.list.v2+json"
    const put = await fetch(`http://${name.replace("/", "/v2/")}/manifests/all`, {
      method: "PUT",
      headers: { "content-type": mediaType },
      body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
    })
    expect(put.status).toBe(201)
    await pull(`${name}:all`)
    expect(f.images.resolve(`${name}:all`).platform).toEqual(hostPlatform())
    await pull(`${name}:all`, { platform: "linux/arm64" })
    expect(f.images.resolve(`${name}:all`, parsePlatform("arm64")).platform.architecture).toBe("arm64")
    expect(f.images.resolve(`${name}:all`).platform).toEqual(hostPlatform())
    expect(await failure(pull(`${name}:all`, { platform: "s390x" }))).toBe(
      "no matching manifest for linux/s390x in the manifest list entries",
    )
    expect(await failure(pull(`${name}:amd64`, { platform: "arm64" }))).toContain(
      "does not match the specified platform",
    )
  })

  test("a registry that wants a password gets it from the header, and nobody else does", async () => {
    const guarded = await TestRegistry.start({ users: { alice: "wonder:land" } })
    try {
      const name = `${guarded.host}/plain:latest`
      await push("plain", "hello")
      const copy = ["copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--dest-creds=alice:wonder:land"]
      skopeo(...copy, `docker://${registry.host}/plain:latest`, `docker://${name}`)
      const auth = (password: string): string =>
        Buffer.from(JSON.stringify({ username: "alice", password })).toString("base64url")
      expect(await failure(pull(name))).toContain("no basic auth credentials")
      const refused = await failure(pull(name, { auth: auth("queen") }))
      expect(refused).toContain("unauthorized: authentication required")
      expect(refused).not.toContain("queen")
      await pull(name, { auth: auth("wonder:land") })
      expect(await f.images.list(LISTING)).toHaveLength(1)
    } finally {
      await guarded.stop()
    }
  })

  test("two pulls of one image share the transfer of its layer", async () => {
    await push("shared", randomBytes(2 << 20))
    const { relay, host } = await relayed()
    relay.bytesPerMillisecond = 20_000
    await Promise.all([pull(`${host}/shared:latest`), pull(`${host}/shared:latest`)])
    const layers = relay.blobs().filter(({ bytes }) => bytes > 1 << 20)
    expect(layers).toHaveLength(1)
  })

  test("a pull that was cancelled goes on where it stopped, and damage to what was kept does no harm", async () => {
    await push("large", randomBytes(8 << 20))
    const { relay, host } = await relayed()
    relay.bytesPerMillisecond = 5000
    const name = `${host}/large:latest`
    async function interrupted(): Promise<void> {
      const abort = new AbortController()
      const work = failure(pull(name, { signal: abort.signal }))
      while (!relay.seen.some(({ bytes }) => bytes > 3 << 20)) await Bun.sleep(5)
      abort.abort()
      expect(await work).toContain("cancelled")
    }
    await interrupted()
    expect(await f.images.list(LISTING)).toEqual([])
    const [kept] = readdirSync(join(f.root, "content/ingest"))
    expect(kept).toStartWith("partial-")
    relay.seen.length = 0
    await pull(name)
    const [rest] = relay.blobs().filter(({ range }) => range !== undefined)
    expect(Number(/bytes=(\d+)-/.exec(rest?.range ?? "")?.[1])).toBeGreaterThan(0)
    expect(readdirSync(join(f.root, "content/ingest"))).toEqual([])

    await f.images.remove(name, { force: true, prune: true })
    relay.seen.length = 0
    await interrupted()
    const [again] = readdirSync(join(f.root, "content/ingest"))
    const path = join(f.root, "content/ingest", again!)
    const bytes = Buffer.from(await Bun.file(path).arrayBuffer())
    bytes.fill(0, bytes.length - 4096)
    writeFileSync(path, bytes)
    relay.bytesPerMillisecond = undefined
    await pull(name)
    expect(await f.images.list(LISTING)).toHaveLength(1)
    expect(readdirSync(join(f.root, "content/ingest"))).toEqual([])
  })

  test("a pull killed ten times fetches no byte twice but those on their way", async () => {
    const size = 40 << 20
    await push("killed", randomBytes(size))
    const { relay, host } = await relayed()
    relay.bytesPerMillisecond = 3000
    const child = join(import.meta.dir, "transfer-child.ts")
    const name = `${host}/killed:latest`
    const moved = (): number => relay.blobs().reduce((sum, { bytes }) => sum + bytes, 0)
    for (let round = 0; round < 10; round++) {
      const from = moved()
      const victim = Bun.spawn([process.execPath, child, f.root, "pull", name], {
        stdio: ["ignore", "ignore", "inherit"],
      })
      while (moved() - from < 3 << 20 && victim.exitCode === null) await Bun.sleep(2)
      victim.kill("SIGKILL")
      await victim.exited
    }
    relay.bytesPerMillisecond = undefined
    f.content.sweep()
    await pull(name)
    expect(await f.images.list(LISTING)).toHaveLength(1)
    // Several parts at once, and each of them no more than what a broken connection still held.
    expect(new Set(relay.blobs().map(({ range }) => range)).size).toBeGreaterThan(10)
    expect(moved()).toBeLessThan(1.1 * size)
    expect(readdirSync(join(f.root, "content/ingest"))).toEqual([])
  }, 120_000)
})

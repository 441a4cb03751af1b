// Several platforms of one name, over a real registry: sent as one index that other tools read by platform, fetched one by
// one, and what a tag that has moved on leaves behind.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { composeTag } from "../../src/engine/images/compose-tag.ts"
import { imageRecords } from "../../src/engine/images/records.ts"
import { digestOf } from "../../src/oci/digest.ts"
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from "../../src/oci/platform.ts"
import { formatReference, parseReference } from "../../src/oci/reference.ts"
import { type Fixture, file, never, openFixture, streamFrom, tarOf } from "../images/fixture.ts"
import { openPodman } from "../support/podman.ts"
import { hasRegistry, skopeo, TestRegistry } from "../support/registry.ts"

const host = formatPlatform(hostPlatform())
const PLATFORMS = ["linux/386", "linux/amd64", "linux/arm/v7", "linux/arm64"]

describe.skipIf(!hasRegistry)("platforms and a registry", () => {
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

  /** Makes the name of these platforms here, each with a text of its own, and sends it. */
  async function publish(name: string, platforms: readonly string[], text: string): Promise<void> {
    for (const platform of platforms) {
      const options = { changes: [], progress: f.progress, signal: never(), platform: parsePlatform(platform) }
      const { id } = await f.images.import(streamFrom(await tarOf([file("which", `${platform} ${text}`)])), options)
      using lease = f.content.lease()
      const records = imageRecords(f.database)
      await composeTag({ records, content: f.content }, formatReference(parseReference(name)), {
        id: f.images.resolve(id).id,
        lease,
      })
    }
    await f.images.push(name, { progress: f.progress, signal: never(), allPlatforms: true })
  }

  const pull = (g: Fixture, name: string, platform?: string, compatible = false) =>
    g.images.pull(name, {
      progress: g.progress,
      signal: never(),
      compatible,
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    })
  const here = async (g: Fixture, name: string): Promise<readonly string[]> =>
    (await g.images.inspect(name, { manifests: true }))
      .Manifests!.filter(({ Available }) => Available)
      .map(({ ImageData }) => formatPlatform(ImageData!.Platform as Platform))
  const rawIndex = (name: string): string => skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}`)

  test("an index made here is read by skopeo, and by podman where it is there, platform by platform", async () => {
    const name = `${registry.host}/multi:1`
    await publish(name, PLATFORMS, "one")
    const index = JSON.parse(rawIndex(name)) as { manifests: { platform: Platform; digest: string }[] }
    expect(index.manifests.map(({ platform }) => formatPlatform(platform))).toEqual(PLATFORMS)
    for (const [architecture, variant] of [["amd64"], ["arm64"], ["386"], ["arm", "v7"]] as const) {
      const override = [
        "--override-arch",
        architecture!,
        ...(variant === undefined ? [] : ["--override-variant", variant]),
      ]
      const read = JSON.parse(skopeo(...override, "inspect", "--config", "--tls-verify=false", `docker://${name}`))
      expect(read).toMatchObject({ architecture, os: "linux" })
    }
    if (Bun.which("podman") !== null) {
      using podman = openPodman(f.root)
      const run = (...args: readonly string[]) => Bun.spawnSync([...podman.command, ...args])
      const ran = run("pull", "-q", "--tls-verify=false", "--arch", "arm64", name)
      const id = ran.stdout.toString().trim()
      expect(`sha256:${id}`).toBe(f.images.resolve(name, parsePlatform("linux/arm64")).id)
      run("rmi", "-f", id)
    }
  })

  test("each platform that is pulled comes to the name, and takes nothing from the others", async () => {
    const name = `${registry.host}/grow:1`
    await publish(name, PLATFORMS, "one")
    using g = openFixture()
    await pull(g, name)
    expect(await here(g, name)).toEqual([host])
    await pull(g, name, "linux/arm64")
    expect(await here(g, name)).toEqual(
      [host, "linux/arm64"].toSorted((a, b) => PLATFORMS.indexOf(a) - PLATFORMS.indexOf(b)),
    )
    expect(g.images.resolve(name).platform).toEqual(hostPlatform())
    // All at once, with the digest that they came with.
    await g.images.pull(name, { progress: g.progress, signal: never(), allPlatforms: true })
    expect(await here(g, name)).toEqual(PLATFORMS)
    expect((await g.images.inspect(name)).Descriptor!.digest).toBe(digestOf(rawIndex(name)))
    await expect(pull(g, name, "linux/arm/v6")).rejects.toThrow("no matching manifest for linux/arm/v6")
    await pull(g, name, "linux/arm64/v9", true)
  })

  test("a name of which only another platform was pulled is missing, so that it is pulled", async () => {
    const name = `${registry.host}/other:1`
    await publish(name, [host, "linux/s390x"], "one")
    using g = openFixture()
    await pull(g, name, "linux/s390x")
    expect(() => g.images.resolve(name)).toThrow(`No such image: ${name} for ${host}`)
    await pull(g, name)
    expect(g.images.resolve(name).platform).toEqual(hostPlatform())
  })

  test("a tag that moved on takes its name along; the other platforms keep theirs by digest", async () => {
    const name = `${registry.host}/moving:1`
    await publish(name, [host, "linux/s390x"], "one")
    using g = openFixture()
    await pull(g, name)
    await pull(g, name, "linux/s390x")
    const former = (await g.images.inspect(name)).Descriptor!.digest
    await publish(name, [host, "linux/s390x"], "two")
    g.lines.length = 0
    await pull(g, name)
    expect(g.lines.map(({ status }) => status)).toContain(
      `${name} has moved on: its former linux/s390x is ${name.replace(/:1$/, "")}@${former} now`,
    )
    expect(await here(g, name)).toEqual([host])
    const kept = name.replace(/:1$/, `@${former}`)
    expect(await here(g, kept)).toEqual([host, "linux/s390x"])
    await pull(g, name, "linux/s390x")
    expect(await here(g, name)).toEqual([host, "linux/s390x"])
  })

  test("a variant that only the index says is what the image is for", async () => {
    const name = `${registry.host}/old:1`
    await publish(name, [host, "linux/arm/v6"], "one")
    // As older builders wrote it: the configuration says "arm", and nothing more.
    const layout = join(f.root, "layout")
    skopeo("copy", "--all", "--src-tls-verify=false", `docker://${name}`, `oci:${layout}:x`)
    const blob = (digest: string): string => join(layout, "blobs/sha256", digest.slice("sha256:".length))
    const put = (value: unknown): { digest: string; size: number } => {
      const bytes = Buffer.from(JSON.stringify(value))
      writeFileSync(blob(digestOf(bytes)), bytes)
      return { digest: digestOf(bytes), size: bytes.length }
    }
    const read = async (digest: string) => (await Bun.file(blob(digest)).json()) as Record<string, never>
    const top = (await Bun.file(join(layout, "index.json")).json()) as { manifests: { digest: string }[] }
    const index = (await read(top.manifests[0]!.digest)) as unknown as {
      manifests: { digest: string; platform: Platform }[]
    }
    const entry = index.manifests.find(({ platform }) => platform.architecture === "arm")!
    const manifest = (await read(entry.digest)) as unknown as { config: { digest: string } }
    const { variant: _none, ...config } = await read(manifest.config.digest)
    Object.assign(manifest.config, put(config))
    Object.assign(entry, put(manifest))
    Object.assign(top.manifests[0]!, put(index))
    writeFileSync(join(layout, "index.json"), JSON.stringify(top))
    const old = `${registry.host}/old:2`
    skopeo("copy", "--all", "--dest-tls-verify=false", `oci:${layout}:x`, `docker://${old}`)
    using g = openFixture()
    await expect(pull(g, old, "linux/arm/v7")).rejects.toThrow("no matching manifest for linux/arm/v7")
    await pull(g, old, "linux/arm/v6")
    expect(await here(g, old)).toEqual(["linux/arm/v6"])
    expect(await g.images.inspect(old, { platform: parsePlatform("linux/arm/v6") })).toMatchObject({ Variant: "v6" })
  })
})

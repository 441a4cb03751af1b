// What was pulled goes on to another registry under the digest that it came with, whoever compressed it; what is new is
// compressed the same way each time.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Images } from "../../src/engine/contract.ts"
import { parsePlatform } from "../../src/oci/platform.ts"
import { bytesOf, type Fixture, file, never, openFixture, streamFrom, tarOf } from "../images/fixture.ts"
import { hasRegistry, skopeo, TestRegistry } from "../support/registry.ts"

type PushOptions = Partial<Parameters<Images["push"]>[1]>

describe.skipIf(!hasRegistry)("the exact bytes of a layer", () => {
  let origin: TestRegistry
  let other: TestRegistry
  let f: Fixture

  beforeAll(async () => {
    origin = await TestRegistry.start()
    other = await TestRegistry.start()
  })
  afterAll(async () => {
    await origin.stop()
    await other.stop()
  })
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => f[Symbol.dispose]())

  const texts = (seed: string): string =>
    Array.from({ length: 20_000 }, (_, at) => `${seed} line ${at % 997}\n`).join("")

  async function make(fixture: Fixture, reference: string, seed: string): Promise<void> {
    const tar = await tarOf([file("text", texts(seed)), file("random", randomBytes(100_000))])
    const options = { reference, changes: [], progress: fixture.progress, signal: never() }
    await fixture.images.import(streamFrom(tar), options)
  }
  /** Compressed by the Go program of another engine. */
  async function makeElsewhere(name: string, flags: readonly string[] = []): Promise<void> {
    using source = openFixture()
    await make(source, "made:1", name)
    const path = join(source.root, "image.tar")
    writeFileSync(path, await bytesOf(await source.images.save(["made:1"], { signal: never() })))
    skopeo("copy", "--dest-tls-verify=false", ...flags, `docker-archive:${path}`, `docker://${name}`)
  }
  const push = (fixture: Fixture, reference: string, more: PushOptions = {}) =>
    fixture.images.push(reference, { progress: fixture.progress, signal: never(), ...more })
  const pull = (fixture: Fixture, reference: string) =>
    fixture.images.pull(reference, { progress: fixture.progress, signal: never() })
  const raw = (name: string): string => skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}`)
  const statuses = (fixture: Fixture): string[] => fixture.lines.map(({ status }) => status ?? "")
  const failure = async (work: Promise<unknown>): Promise<string> =>
    await work.then(
      () => "it succeeded",
      (error: unknown) => (error as Error).message,
    )

  for (const format of ["gzip", "zstd"])
    test(`another program's ${format} is copied from the registry it came from, through here`, async () => {
      const name = `${origin.host}/foreign-${format}:1`
      await makeElsewhere(name, ["--format", "oci", "--dest-compress-format", format])
      await pull(f, name)
      const there = `${other.host}/foreign-${format}:1`
      await f.images.tag(name, there)
      await push(f, there)
      expect(raw(there)).toBe(raw(name))
      expect(statuses(f)).toContain(`Copied from ${origin.host}/foreign-${format}`)
    })

  test("without that registry it is compressed anew, and said so; --same-digest makes it an error", async () => {
    const gone = await TestRegistry.start()
    const name = `${gone.host}/foreign:1`
    try {
      await makeElsewhere(name)
      await pull(f, name)
    } finally {
      await gone.stop()
    }
    const there = `${other.host}/anew:1`
    await f.images.tag(name, there)
    expect(await failure(push(f, there, { sameDigest: true }))).toContain(
      "cannot be made again as the image came with it",
    )
    expect(await failure(push(f, there))).toBe("it succeeded")
    expect(statuses(f)).toContain("Not to be had as it came: compressing anew")
    expect(skopeo("inspect", "--tls-verify=false", `docker://${there}`)).toContain("sha256")
  })

  test("what dhow compressed is made again without any registry, at every level", async () => {
    for (const compression of [
      { kind: "gzip" },
      { kind: "gzip", level: 1 },
      { kind: "gzip", level: 9 },
      { kind: "zstd" },
      { kind: "zstd", level: 9 },
    ] as const) {
      const gone = await TestRegistry.start()
      const level = "level" in compression ? compression.level : "usual"
      const there = `${other.host}/again-${compression.kind}-${level}:1`
      let came: string
      using source = openFixture()
      using second = openFixture()
      try {
        const name = `${gone.host}/own:1`
        await make(source, name, there)
        await push(source, name, { compression })
        await pull(second, name)
        came = raw(name)
        await second.images.tag(name, there)
      } finally {
        await gone.stop()
      }
      await push(second, there, { sameDigest: true })
      expect(raw(there)).toBe(came)
    }
  })

  test("a new layer is compressed as asked, the same bytes each time, and plain where it is wanted", async () => {
    await make(f, "new:1", "new")
    const layerOf = (name: string) =>
      (JSON.parse(raw(name)) as { layers: { mediaType: string; digest: string }[] }).layers[0]!
    const seen = new Map<string, string>()
    for (const compression of [
      undefined,
      { kind: "gzip", level: 6 },
      { kind: "gzip", level: 1 },
      { kind: "zstd" },
      { kind: "zstd", level: 12 },
      { kind: "none" },
    ] as const) {
      const key = `${compression?.kind ?? "gzip"}${(compression as { level?: number } | undefined)?.level ?? ""}`
      const digests = []
      for (const registry of [origin, other]) {
        const name = `${registry.host}/as-asked-${key}:1`
        await f.images.tag("new:1", name)
        await push(f, name, compression === undefined ? {} : { compression })
        const { mediaType, digest } = layerOf(name)
        const ending = { gzip: "tar+gzip", zstd: "tar+zstd", none: "tar" }[compression?.kind ?? "gzip"]
        expect(mediaType).toEndWith(`.layer.v1.${ending}`)
        digests.push(digest)
      }
      expect(digests[0]).toBe(digests[1]!)
      seen.set(key, digests[0]!)
    }
    expect(new Set(seen.values()).size).toBe(6)
  })

  test("a plain layer of a registry stays plain", async () => {
    await make(f, `${origin.host}/plain:1`, "plain")
    await push(f, `${origin.host}/plain:1`, { compression: { kind: "none" } })
    using second = openFixture()
    await pull(second, `${origin.host}/plain:1`)
    await second.images.tag(`${origin.host}/plain:1`, `${other.host}/plain:1`)
    await push(second, `${other.host}/plain:1`)
    expect(raw(`${other.host}/plain:1`)).toBe(raw(`${origin.host}/plain:1`))
  })

  test("a blob is mounted from the repository it was pulled from, though no image of it is left there", async () => {
    const name = `${origin.host}/from/here:1`
    await makeElsewhere(name)
    await pull(f, name)
    await f.images.tag(name, `${origin.host}/to/there:1`)
    await f.images.remove(name, { force: false, prune: true })
    f.lines.length = 0
    await push(f, `${origin.host}/to/there:1`)
    expect(statuses(f)).toContain("Mounted from from/here")
    expect(raw(`${origin.host}/to/there:1`)).toBe(raw(name))
  })

  test("a limit on the rate holds over everything that moves", async () => {
    const tar = await tarOf(Array.from({ length: 4 }, (_, at) => file(`r${at}`, randomBytes(500_000))))
    const name = `${origin.host}/slow:1`
    const options = { reference: name, changes: [], platform: parsePlatform("amd64") }
    await f.images.import(streamFrom(tar), { ...options, progress: f.progress, signal: never() })
    const timed = async (work: Promise<unknown>): Promise<number> => {
      const begun = performance.now()
      await work
      return performance.now() - begun
    }
    // 2 MB less the burst, at 1 MB/s.
    expect(await timed(push(f, name, { limitRate: 1_000_000 }))).toBeGreaterThan(1500)
    using second = openFixture()
    const pulled = second.images.pull(name, { limitRate: 1_000_000, progress: second.progress, signal: never() })
    expect(await timed(pulled)).toBeGreaterThan(1500)
    using third = openFixture()
    expect(await timed(pull(third, name))).toBeLessThan(1500)
  }, 30_000)
})

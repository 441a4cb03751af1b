// Archives that other tools make and read: skopeo's and podman's in both formats, layouts packed by tar, every
// compression; an interrupted load leaves nothing. Each part is skipped where its program is not installed.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isKind } from "../../src/lib/errors.ts"
import type { Digest } from "../../src/oci/digest.ts"
import { openPodman } from "../support/podman.ts"
import { bytesOf, type Fixture, file, never, openFixture, streamFrom, tarOf } from "./fixture.ts"

const has = (program: string): boolean => Bun.which(program) !== null

function run(program: string, args: readonly string[], input?: Uint8Array): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
  })
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error ?? stderr.toString()}`)
  return stdout
}

describe("archives of other tools", () => {
  let f: Fixture
  let id: Digest
  let saved: string
  beforeEach(async () => {
    f = openFixture()
    const tar = await tarOf([file("greeting", "hello"), file("filling", "filling ".repeat(40_000))])
    const options = { reference: "local/base:1", changes: ["LABEL a=b"], progress: f.progress, signal: never() }
    id = (await f.images.import(streamFrom(tar), options)).id as Digest
    saved = join(f.root, "saved.tar")
    writeFileSync(saved, await bytesOf(await f.images.save(["local/base:1"], { signal: never() })))
    await f.images.remove("local/base:1", { force: true, prune: true })
    expect([...f.content.list()]).toEqual([])
  })
  afterEach(() => f[Symbol.dispose]())

  const load = (bytes: Uint8Array, signal = never()) =>
    f.images.load(streamFrom(bytes), { quiet: true, progress: f.progress, signal })
  const expectLoaded = (name: string): void => {
    const image = f.images.resolve(name)
    expect(image.config.config).toEqual({ Labels: { a: "b" } })
    expect(f.snapshotter.hasLayer(image.layers[0]!)).toBe(true)
  }

  for (const [program, options] of [
    ["gzip", []],
    ["zstd", ["-q"]],
    ["xz", []],
    ["bzip2", []],
  ] as const)
    test.skipIf(!has(program))(`an archive compressed with ${program} is loaded; a cut one is refused`, async () => {
      const compressed = run(program, [...options, "-c", saved])
      await expect(load(compressed.subarray(0, compressed.length - 100))).rejects.toThrow("damaged or cut off")
      await f.collector.collect()
      expect([...f.content.list()]).toEqual([])
      await load(compressed)
      expect(f.images.resolve("local/base:1").id).toBe(id)
    })

  test.skipIf(!has("xz"))("a docker-archive whose layer is compressed with xz is loaded", async () => {
    const directory = join(f.root, "unpacked")
    mkdirSync(directory)
    run("tar", ["-C", directory, "-xf", saved])
    const [item] = JSON.parse(readFileSync(join(directory, "manifest.json"), "utf8")) as [
      { Config: string; Layers: [string] },
    ]
    const archive = await tarOf([
      file("c.json", readFileSync(join(directory, item.Config))),
      file("layer.tar", run("xz", ["-c", join(directory, item.Layers[0])])),
      file("manifest.json", JSON.stringify([{ Config: "c.json", RepoTags: ["xz:1"], Layers: ["layer.tar"] }])),
    ])
    await load(archive)
    expectLoaded("xz:1")
  })

  test.skipIf(!has("skopeo"))("what skopeo writes is loaded, in each format and compression", async () => {
    const copy = (...args: readonly string[]) => run("skopeo", ["copy", "--quiet", "--insecure-policy", ...args])
    for (const [transport, name] of [
      ["docker-archive", "copied:1"],
      ["oci-archive", "copied:2"],
    ]) {
      const path = join(f.root, `${transport}.tar`)
      copy(`docker-archive:${saved}`, `${transport}:${path}:${name}`)
      await load(readFileSync(path))
      expectLoaded(name!)
    }
    for (const [at, options] of [
      ["gzip", ["--dest-compress-format", "gzip"]],
      ["zstd", ["--dest-compress-format", "zstd"]],
    ] as const) {
      const layout = join(f.root, at)
      copy(...options, `docker-archive:${saved}`, `oci:${layout}:local/${at}:1`)
      await load(run("tar", ["-C", layout, "-c", "."]))
      expectLoaded(`local/${at}:1`)
    }
  })

  test.skipIf(!has("podman"))("podman loads what save writes, and what podman saves is loaded", async () => {
    using own = openPodman(f.root)
    const [program = "", ...state] = own.command
    const podman = (...args: readonly string[]) => run(program, [...state, ...args]).toString()
    expect(podman("load", "-i", saved)).toContain("local/base:1")
    const name = podman("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").trim().split("\n")[0]!
    expect(podman("image", "inspect", "--format", "{{.Id}}", name).trim()).toBe(id.slice("sha256:".length))
    for (const format of ["docker-archive", "oci-archive"]) {
      const path = join(f.root, `podman-${format}.tar`)
      podman("save", "--quiet", "--format", format, "-o", path, name)
      await load(readFileSync(path))
      expectLoaded(name)
      await f.images.remove(name, { force: true, prune: true })
    }
    podman("rmi", "--force", name)
  })

  test("a load that its client breaks off leaves nothing", async () => {
    const abort = new AbortController()
    const bytes = readFileSync(saved)
    let sent = 0
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= bytes.length / 2) return abort.abort()
        controller.enqueue(new Uint8Array(bytes.subarray(sent, sent + 4096)))
        sent += 4096
      },
    })
    const failure = await f.images
      .load(stream, { quiet: true, progress: f.progress, signal: abort.signal })
      .catch((error: unknown) => error)
    expect(isKind(failure, "cancelled")).toBe(true)
    await f.collector.collect()
    expect([...f.content.list()]).toEqual([])
    expect(await f.images.list({ all: true, filters: new Map(), sharedSize: false, manifests: false })).toEqual([])
  })
})

// Images of distro.local, built for real. Debian needs root, mmdebstrap and a mirror, and takes half a minute a build.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { unmount } from "../../src/lib/syscalls/mount.ts"
import { formatPlatform, type Platform, parsePlatform } from "../../src/oci/platform.ts"
import { expectTreeOfTar } from "../snapshot/forms.ts"
import { type Fixture, look, never, openFixture } from "./fixture.ts"

const has = (program: string): boolean => spawnSync("which", [program]).status === 0

describe("distro.local", () => {
  let f: Fixture
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => f[Symbol.dispose]())

  const pull = async (fixture: Fixture, name: string, signal = never()) => {
    fixture.lines.length = 0
    await fixture.images.pull(name, { progress: fixture.progress, signal })
    return fixture.lines.map((line) => line.status ?? "")
  }

  test("busybox is built with its applets, twice the same, and is then up to date", async () => {
    const statuses = await pull(f, "distro.local/busybox")
    expect(statuses[0]).toBe("Pulling from busybox")
    expect(statuses.at(-1)).toBe("Status: Downloaded newer image for distro.local/busybox:latest")
    const image = f.images.resolve("distro.local/busybox")
    expect(image.config.config).toMatchObject({
      Cmd: ["sh"],
      Labels: { "local.distro.packages": expect.stringMatching(/^busybox-static=\S+$/) },
    })
    using other = openFixture()
    await pull(other, "distro.local/busybox")
    expect(other.images.resolve("distro.local/busybox")).toEqual(image)
    expect((await pull(f, "distro.local/busybox:latest")).at(-1)).toBe(
      "Status: Image is up to date for distro.local/busybox:latest",
    )
    expect(f.events).toContain("pull distro.local/busybox")

    const root = look(f, image.layers)
    const ran = spawnSync("chroot", [root, "/bin/sh", "-c", "id -un; ls -ld /tmp | cut -c1-10"], { encoding: "utf8" })
    expect(ran.stdout).toBe("root\ndrwxrwxrwt\n")
  })

  test("busybox is built for other processors without running any, and all stand under the one name", async () => {
    const build = (fixture: Fixture, platform?: string) =>
      fixture.images.pull("distro.local/busybox", {
        progress: fixture.progress,
        signal: never(),
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      })
    await build(f)
    await build(f, "linux/arm64")
    const { Manifests = [] } = await f.images.inspect("distro.local/busybox", { manifests: true })
    const names = Manifests.map(({ ImageData }) => formatPlatform(ImageData!.Platform as Platform))
    expect(names).toEqual(["linux/amd64", "linux/arm64"])
    const arm = f.images.resolve("distro.local/busybox", parsePlatform("linux/arm64"))
    expect(arm.config).toMatchObject({ architecture: "arm64", config: { Cmd: ["sh"] } })
    const root = look(f, arm.layers)
    // ELF, 64 bits, little-endian, machine 183.
    const head = readFileSync(join(root, "bin/busybox")).subarray(0, 20)
    expect([head.toString("latin1", 1, 4), head[4], head[5], head.readUInt16LE(18)]).toEqual(["ELF", 2, 1, 183])
    expect(readlinkSync(join(root, "bin/sh"))).toBe("/bin/busybox")
    expect(readlinkSync(join(root, "usr/bin/wc"))).toBe("/bin/busybox")
    // The same in another order, on another day.
    using other = openFixture()
    await build(other, "linux/arm64")
    await build(other)
    expect((await other.images.inspect("distro.local/busybox")).Descriptor).toEqual(
      (await f.images.inspect("distro.local/busybox")).Descriptor,
    )
    expect(readdirSync(join(f.root, "tmp"))).toEqual([])
  }, 300_000)

  test("what is not there is refused with the reason", async () => {
    await expect(pull(f, "distro.local/busybox:1.36")).rejects.toThrow("manifest unknown")
    await expect(pull(f, "distro.local/fedora")).rejects.toThrow('distro.local has no image "fedora"')
    const sparc = { os: "linux", architecture: "sparc64" }
    await expect(
      f.images.pull("distro.local/busybox", { platform: sparc, progress: f.progress, signal: never() }),
    ).rejects.toThrow("no matching manifest for linux/sparc64: Debian is not built for it")
    expect(readdirSync(join(f.root, "tmp"))).toEqual([])
  })

  test.if(has("mmdebstrap"))(
    "debian is built once for two who ask, twice the same, and is then up to date",
    async () => {
      const name = "distro.local/debian:bookworm-slim"
      const [first] = await Promise.all([pull(f, name), f.images.pull(name, { progress: () => {}, signal: never() })])
      expect(first).toContain("creating tarball...")
      expect(f.lines.filter((line) => line.status === "creating tarball...")).toHaveLength(1)
      const image = f.images.resolve(name)
      expect(image.config.config?.Labels?.["local.distro.packages"]).toMatch(/^apt=\S+$/m)
      const statuses = await pull(f, name)
      expect(statuses.at(-1)).toBe(`Status: Image is up to date for ${name}`)
      expect(statuses).not.toContain("creating tarball...")

      using other = openFixture()
      await pull(other, name)
      expect(other.images.resolve(name)).toEqual(image)

      const root = look(f, image.layers)
      for (const path of ["etc/resolv.conf", "etc/hostname", "etc/machine-id", "var/cache/ldconfig/aux-cache"])
        expect(existsSync(join(root, path))).toBe(false)
      expect(existsSync(join(root, "etc/apt/sources.list.d/debian.sources"))).toBe(true)
      expect(existsSync(join(root, "usr/sbin/policy-rc.d"))).toBe(true)
      expect(readdirSync(join(f.root, "tmp"))).toEqual([])
      unmount(root)
      expect(await expectTreeOfTar(f.content.path(image.layers[0]!))).toBeGreaterThan(3000)
    },
    600_000,
  )

  test.if(has("mmdebstrap"))(
    "a build that is cancelled leaves no process, directory or blob",
    async () => {
      const abort = new AbortController()
      const building = f.images.pull("distro.local/debian:bookworm", {
        progress: (line) => {
          if (line.status?.startsWith("extracting") === true) abort.abort()
        },
        signal: abort.signal,
      })
      await expect(building).rejects.toThrow("cancelled")
      expect(readdirSync(join(f.root, "tmp"))).toEqual([])
      await f.collector.collect()
      expect([...f.content.list()]).toEqual([])
      const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" })
      expect(stdout).not.toContain(f.root)
    },
    120_000,
  )
})

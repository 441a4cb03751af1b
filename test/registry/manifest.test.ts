// Lists of manifests: put together by dhow, pushed, and read by docker, podman and skopeo; and the other way round.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dhow as dhowOf, docker, dockerProgram } from "../support/docker.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { hasRegistry, skopeo, TestRegistry } from "../support/registry.ts"

const isReady = hasRegistry && (await Bun.file("/bin/busybox").exists())

describe.skipIf(!isReady)("manifest", () => {
  const engine = new TestEngine()
  const dhow = dhowOf(engine)
  const client = docker(engine)
  let registry: TestRegistry
  let other: TestRegistry
  let guarded: TestRegistry
  const names = (path: string) => ["amd64", "arm64"].map((arch) => `${registry.host}/${path}:${arch}`)
  const raw = (name: string): string => skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}`)

  beforeAll(async () => {
    registry = await TestRegistry.start()
    other = await TestRegistry.start()
    guarded = await TestRegistry.start({ users: { alice: "land" } })
    await engine.start()
    const tar = busyboxTar()
    for (const [at, name] of names("app").entries()) {
      const platform = `linux/${["amd64", "arm64"][at]}`
      const change = `LABEL at=${at}`
      const imported = await dhow.run(["import", "--platform", platform, "-c", change, "-", name], { stdin: tar })
      expect(imported).toMatchObject({ status: 0 })
      await dhow.ok("push", name)
    }
  })
  afterAll(async () => {
    await engine.destroy()
    for (const one of [registry, other, guarded]) await one?.stop()
  })

  test("a list of images that are here is an image itself, and is pushed with them", async () => {
    const list = `${registry.host}/local/app:1`
    expect(await dhow.ok("manifest", "create", list, ...names("app"))).toBe(`Created manifest list ${list}`)
    expect((await dhow.run(["manifest", "create", list, ...names("app")])).stderr).toBe(
      "dhow: refusing to amend an existing manifest list with no --amend flag\n",
    )
    expect(await dhow.ok("run", "--rm", "--network", "none", list, "echo", "here")).toBe("here")
    const pushed = await dhow.ok("manifest", "push", list)
    expect(pushed).toContain(`Pushed ref ${registry.host}/local/app@sha256:`)
    const digest = pushed.split("\n").at(-1)!
    expect(digest).toBe(`sha256:${new Bun.CryptoHasher("sha256").update(raw(list)).digest("hex")}`)
    // What is here and what is there are the same now.
    expect(await dhow.ok("manifest", "inspect", list)).toBe(raw(list))
    const rows = (await dhow.ok("images", "--format", "{{.Repository}}:{{.Tag}} {{.Platform}}")).split("\n")
    expect(rows.filter((row) => row.includes("app:")).sort()).toEqual([
      `${registry.host}/app:amd64 linux/amd64`,
      `${registry.host}/app:arm64 linux/arm64`,
      `${list} linux/amd64`,
      `${list} linux/arm64`,
    ])
    const { manifests } = JSON.parse(raw(list)) as { manifests: { platform: { architecture: string } }[] }
    expect(manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"])
    // Every entry is whole there: skopeo copies all of it.
    const directory = mkdtempSync(join(tmpdir(), "dhow-list-"))
    try {
      skopeo("copy", "--all", "--src-tls-verify=false", `docker://${list}`, `dir:${directory}`)
    } finally {
      rmSync(directory, { recursive: true })
    }
    await dhow.ok("manifest", "rm", list)
    expect((await dhow.run(["manifest", "push", list])).stderr).toBe(`dhow: No such manifest: ${list}\n`)
    expect((await dhow.run(["image", "inspect", list])).status).toBe(1)
  })

  test.skipIf(dockerProgram === undefined)(
    "the same entries make the same digest as with docker's client",
    async () => {
      const mine = `${registry.host}/mine:1`
      const theirs = `${registry.host}/theirs:1`
      await dhow.ok("manifest", "create", mine, ...names("app"))
      await dhow.ok("manifest", "annotate", "--variant", "v8", mine, names("app")[1]!)
      const digest = (await dhow.ok("manifest", "push", "--purge", mine)).split("\n").at(-1)
      await client.ok("manifest", "create", "--insecure", theirs, ...names("app"))
      await client.ok("manifest", "annotate", "--variant", "v8", theirs, names("app")[1]!)
      expect((await client.ok("manifest", "push", "--insecure", "--purge", theirs)).split("\n").at(-1)).toBe(digest)
      expect(raw(mine)).toBe(raw(theirs))
      for (const flags of [[], ["-v"]]) {
        const [ours, docker] = await Promise.all(
          [dhow, client].map((one) => one.ok("manifest", "inspect", "--insecure", ...flags, theirs)),
        )
        expect(JSON.parse(ours!)).toEqual(JSON.parse(docker!))
        if (flags.length === 0) expect(ours).toBe(docker)
      }
      const image = names("app")[0]!
      for (const flags of [[], ["-v"]])
        expect(await dhow.ok("manifest", "inspect", ...flags, image)).toBe(
          await client.ok("manifest", "inspect", "--insecure", ...flags, image),
        )
    },
  )

  test("entries that are only in registries are mounted or copied, and nothing of them stays here", async () => {
    const path = `${registry.host}/far`
    for (const arch of ["amd64", "arm64"]) {
      const image = ["--platform", `linux/${arch}`, "-c", "LABEL far=away", "-", `${path}:${arch}`]
      expect((await dhow.run(["import", ...image], { stdin: busyboxTar() })).status).toBe(0)
      await dhow.ok("push", `${path}:${arch}`)
      await dhow.ok("rmi", `${path}:${arch}`)
    }
    const before = (await engine.must<unknown[]>("GET", "/images/json?all=1")).length
    for (const list of [`${registry.host}/near:1`, `${other.host}/away:1`]) {
      await dhow.ok("manifest", "create", list, `${path}:amd64`, `${path}:arm64`)
      const pushed = await dhow.ok("manifest", "push", "-p", list)
      if (list.startsWith(registry.host)) expect(pushed).toContain("Mounted from far")
      else expect(pushed).toContain("Pushed")
      expect(JSON.parse(raw(list)).manifests).toHaveLength(2)
      await dhow.ok("pull", "--platform", "linux/arm64", list)
      await dhow.ok("rmi", list)
    }
    expect((await engine.must<unknown[]>("GET", "/images/json?all=1")).length).toBe(before)
  })

  test.skipIf(dockerProgram === undefined)("docker and podman pull the list, each platform of it", async () => {
    const list = `${registry.host}/both:1`
    await dhow.ok("manifest", "create", list, ...names("app"))
    await dhow.ok("manifest", "push", "-p", list)
    await client.ok("pull", "--platform", "linux/arm64", list)
    const arm = ["image", "inspect", "--platform", "linux/arm64", "--format", "{{.Architecture}}", list]
    expect(await client.ok(...arm)).toBe("arm64")
    if (Bun.which("podman") === null) return
    const root = mkdtempSync(join(tmpdir(), "dhow-podman-"))
    const podman = (...args: string[]) =>
      Bun.spawnSync([
        "podman",
        "--root",
        join(root, "r"),
        "--runroot",
        join(root, "rr"),
        "--storage-driver",
        "vfs",
        ...args,
      ])
    try {
      const pulled = podman("pull", "--tls-verify=false", "--platform", "linux/arm64", list)
      expect({ status: pulled.exitCode, error: pulled.exitCode === 0 ? "" : pulled.stderr.toString() }).toEqual({
        status: 0,
        error: "",
      })
      expect(podman("image", "inspect", "--format", "{{.Architecture}}", list).stdout.toString().trim()).toBe("arm64")
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })

  test("what is wrong is said as docker's client says it", async () => {
    const said = async (...args: string[]) => (await dhow.run(["manifest", ...args])).stderr.split("\n")[0]
    const list = `${registry.host}/wrong:1`
    const [image] = names("app")
    expect(await said("inspect", `${registry.host}/none:1`)).toBe(`dhow: no such manifest: ${registry.host}/none:1`)
    expect(await said("create", list, `${registry.host}/none:1`)).toBe(
      `dhow: no such manifest: ${registry.host}/none:1`,
    )
    expect(await said("annotate", "--os", "linux", list, image!)).toBe(
      `dhow: manifest for image ${image} does not exist in ${list}`,
    )
    await dhow.ok("manifest", "create", list, image!)
    expect(await said("annotate", "--arch", "z80", list, image!)).toBe(
      "dhow: manifest entry for image has unsupported os/arch combination: /z80",
    )
    expect(await said("inspect", list, `${registry.host}/none:1`)).toBe(
      `dhow: No such manifest: ${registry.host}/none:1`,
    )
    expect(JSON.parse(await dhow.ok("manifest", "inspect", list, image!))).toHaveProperty("layers")
    await dhow.ok("manifest", "push", list)
    await dhow.ok("manifest", "rm", list)
    expect(await said("create", `${registry.host}/nested:1`, list)).toBe(`dhow: ${list} is a manifest list`)
  })

  test("logins are used for the list and for its entries", async () => {
    const list = `${guarded.host}/team/app:1`
    await dhow.ok("manifest", "create", list, ...names("app"))
    const refused = await dhow.run(["manifest", "push", list])
    expect(refused.stderr).toContain("no basic auth credentials")
    expect((await dhow.run(["login", "-u", "alice", "--password-stdin", guarded.host], { stdin: "land" })).status).toBe(
      0,
    )
    await dhow.ok("manifest", "push", "-p", list)
    expect(JSON.parse(await dhow.ok("manifest", "inspect", list)).manifests).toHaveLength(2)
    const copy = `${registry.host}/back:1`
    const { manifests } = JSON.parse(await dhow.ok("manifest", "inspect", list))
    await dhow.ok("manifest", "create", copy, `${guarded.host}/team/app@${manifests[1].digest}`)
    await dhow.ok("manifest", "push", "-p", copy)
    await dhow.ok("logout", guarded.host)
  })

  test("a list survives the daemon, and its documents a collection", async () => {
    const list = `${registry.host}/kept:1`
    const entry = `${registry.host}/far:arm64`
    await dhow.ok("manifest", "create", list, entry)
    await engine.must("POST", "/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D")
    await engine.kill()
    await engine.start()
    expect(JSON.parse(await dhow.ok("manifest", "inspect", "-v", list))[0].Ref).toBe(entry)
    await dhow.ok("manifest", "push", list)
  })

  test("a daemon killed at any step leaves a list as it was, and nothing half of it in the registry", async () => {
    const list = `${registry.host}/crash/app:1`
    const killedAt = async (point: string, ...args: string[]): Promise<void> => {
      await engine.kill()
      await engine.start({ DHOW_CRASH_AT: point })
      expect((await dhow.run(["manifest", ...args])).status).toBe(1)
      await engine.ended()
      await engine.start()
    }
    await killedAt("manifests.save:before-rows", "create", list, ...names("app"))
    expect((await dhow.run(["manifest", "push", list])).stderr).toContain("No such manifest")
    expect((await dhow.run(["run", "--rm", "--pull", "never", list, "true"])).status).toBe(125)
    await dhow.ok("manifest", "create", list, ...names("app"))
    const before = await dhow.ok("manifest", "inspect", list)
    await killedAt("manifests.push:before-list", "push", list)
    expect(await dhow.ok("manifest", "inspect", list)).toBe(before)
    expect(() => raw(list)).toThrow()
    await killedAt("manifests.save:before-rows", "annotate", "--variant", "v8", list, names("app")[1]!)
    expect(await dhow.ok("manifest", "inspect", list)).toBe(before)
    await dhow.ok("manifest", "push", list)
    expect(raw(list)).toBe(await dhow.ok("manifest", "inspect", list))
  })
})

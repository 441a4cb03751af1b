// What dhow does with volumes beyond Docker, and Docker's options of the local driver, against a real engine.
import { beforeAll, describe, expect, test } from "bun:test"
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { mount, unmountAll } from "../../src/lib/syscalls/mount.ts"
import type { VolumeDetail, VolumeInspect } from "../../src/wire/system.ts"
import { testEngine } from "../support/fixture.ts"
import { agree } from "../support/invariants.ts"
import { mountsBelow } from "../support/kernel-objects.ts"
import { look, plant } from "./tree.ts"

const engine = testEngine(["--volume-mount-timeout", "1"])
const hasTools = Bun.which("mkfs.ext4", { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }) !== null
const data = (volume: VolumeInspect | string): string =>
  typeof volume === "string" ? join(engine.dataRoot, "volumes", volume, "_data") : volume.Mountpoint
const create = (Name: string, DriverOpts?: Record<string, string>): Promise<VolumeInspect> =>
  engine.must("POST", "/volumes/create", { Name, ...(DriverOpts === undefined ? {} : { DriverOpts }) })
const detail = (name: string): Promise<VolumeDetail> => engine.must("GET", `/dhow/volumes/${name}`)
const refused = async (method: string, path: string, body?: unknown): Promise<string> => {
  const { status, json, text } = await engine.call(method, path, body)
  return `${status} ${(json as { message?: string } | undefined)?.message ?? text}`
}
const lastLine = (text: string): Record<string, unknown> => JSON.parse(text.trim().split("\n").at(-1) ?? "")

async function start(name: string, mounts: readonly object[], script = "sleep 600"): Promise<string> {
  const { Id } = await engine.must<{ Id: string }>("POST", `/containers/create?name=${name}`, {
    Image: "bb",
    Cmd: ["sh", "-c", script],
    HostConfig: { Mounts: mounts, NetworkMode: "none" },
  })
  await engine.must("POST", `/containers/${Id}/start`)
  return Id
}
const at = (Source: string, Target = "/d", more: object = {}) => ({ Type: "volume", Source, Target, ...more })
const isMounted = (volume: string): boolean => mountsBelow(engine.dataRoot).includes(data(volume))
const remove = (container: string) => engine.must("DELETE", `/containers/${container}?force=1&v=1`)
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(20)
}
async function output(script: string, mounts: readonly object[]): Promise<string> {
  await start("once", mounts, `(${script}) > /shown/text 2>&1`)
  await engine.must("POST", "/containers/once/wait")
  await remove("once")
  return readFileSync(join(data("shown"), "text"), "utf8")
}

beforeAll(() => create("shown"))

describe("a volume's files", () => {
  test("are the same in a clone, a restored snapshot and an imported archive, compressed or not", async () => {
    const source = await create("source")
    plant(data(source))
    const planted = look(data(source))
    expect((await engine.call("POST", "/dhow/volumes/source/clone?to=cloned")).status).toBe(200)
    expect(look(data("cloned"))).toEqual(planted)

    const taken = lastLine((await engine.call("POST", "/dhow/volumes/source/snapshots?name=one")).text)
    expect(taken).toMatchObject({ Snapshot: { Name: "one", Files: 8 } })
    writeFileSync(join(data(source), "later"), "")
    await engine.must("POST", "/dhow/volumes/source/restore?snapshot=one")
    expect(look(data(source))).toEqual(planted)
    expect(existsSync(join(data(source), "later"))).toBe(false)
    expect(await refused("POST", "/dhow/volumes/source/restore?snapshot=two")).toBe(
      '404 Volume "source" has no snapshot "two" (It has one)',
    )
    expect(await refused("POST", "/dhow/volumes/source/snapshots?name=one")).toMatch(/^409 .*snapshot "one" already/)

    const answer = await fetch("http://dhow/dhow/volumes/source/archive", { unix: engine.socket })
    const archive = new Uint8Array(await answer.arrayBuffer())
    for (const [name, bytes] of [
      ["plain", archive],
      ["gzipped", Bun.gzipSync(archive)],
      ["zstd", Bun.zstdCompressSync(archive)],
    ] as const) {
      const made = await engine.must<VolumeInspect>("PUT", `/dhow/volumes/${name}/archive?label=a=b`, bytes)
      expect(look(data(made))).toEqual(planted)
      expect(made.Labels).toEqual({ a: "b" })
    }
    expect(await refused("PUT", "/dhow/volumes/plain/archive", archive)).toMatch(/^409 a volume named plain already/)
    writeFileSync(join(data("plain"), "later"), "")
    await engine.must("PUT", "/dhow/volumes/plain/archive?replace=1", archive)
    expect(look(data("plain"))).toEqual(planted)
    expect((await detail("source")).Snapshots).toEqual(["one"])
    expect(await engine.must<unknown>("GET", "/dhow/volumes/source/snapshots")).toMatchObject([{ Name: "one" }])
    expect((await engine.call("DELETE", "/dhow/volumes/source/snapshots/one")).status).toBe(204)
    await agree(engine)
  })

  test("of an archive never leave the volume, and a broken archive leaves no volume", async () => {
    const outside = join(engine.root, "outside")
    writeFileSync(outside, "mine")
    const tar = (...args: string[]): Uint8Array => Bun.spawnSync(["tar", ...args], { cwd: engine.root }).stdout
    mkdirSync(join(engine.root, "evil"))
    symlinkSync(engine.root, join(engine.root, "evil/up"))
    const hostile = tar(
      "-c",
      "-P",
      "--transform",
      "s,^evil/file$,evil/up/outside,",
      "evil/up",
      "outside",
      "../../etc/hostname",
    )
    const through = tar("-c", "-P", "--transform", "s,outside,evil/up/outside,", "evil/up", "outside")
    for (const bytes of [hostile, through]) await engine.call("PUT", "/dhow/volumes/hostile/archive?replace=1", bytes)
    expect(readFileSync(outside, "utf8")).toBe("mine")
    writeFileSync(join(engine.root, "large"), new Uint8Array(100_000))
    const whole = tar("-c", "outside", "large")
    for (const bytes of [
      whole.subarray(0, whole.length >> 1),
      new Uint8Array(0),
      new TextEncoder().encode("no archive ".repeat(100)),
    ])
      expect(await refused("PUT", "/dhow/volumes/broken/archive", bytes)).toMatch(/^(400|500) /)
    expect((await engine.call("GET", "/volumes/broken")).status).toBe(404)
    expect(await refused("PUT", "/dhow/volumes/-broken/archive", whole)).toMatch(/^400 import /)
    await agree(engine)
  })

  test("are copied for nothing more than what was asked for: names that are taken or none are refused", async () => {
    expect(await refused("POST", "/dhow/volumes/source/clone?to=cloned")).toMatch(/^409 a volume named cloned already/)
    expect(await refused("POST", "/dhow/volumes/source/clone?to=x")).toMatch(/^400 create x: volume name is too short/)
    expect(await refused("POST", "/dhow/volumes/source/clone")).toMatch(/^400 The request has no "to"/)
    expect(await refused("POST", "/dhow/volumes/nobody/clone?to=other")).toBe("404 get nobody: no such volume")
    expect(await refused("POST", "/dhow/volumes/source/resize?size=1g")).toMatch(/^409 .*made without a size/)
  })

  test("are of one moment where the writers are paused, and they go on afterwards", async () => {
    await start("writer", [at("source", "/d")], "i=0; while :; do i=$((i+1)); echo $i > /d/a; echo $i > /d/b; done")
    await engine.must("POST", "/dhow/volumes/source/clone?to=still&pause=1")
    const [a, b] = ["a", "b"].map((name) => Number(readFileSync(join(data("still"), name), "utf8") || Number.NaN))
    // The second is written after the first; of one that was being written there may be nothing.
    if (!Number.isNaN(a) && !Number.isNaN(b)) expect([0, 1]).toContain((a ?? 0) - (b ?? 0))
    const now = readFileSync(join(data("source"), "a"), "utf8")
    await until(() => readFileSync(join(data("source"), "a"), "utf8") !== now)
    await engine.must("POST", "/dhow/volumes/source/snapshots?name=live")
    expect(await refused("POST", "/dhow/volumes/source/restore?snapshot=live")).toMatch(
      /^409 Cannot restore volume "source": it is used by "writer" \(Stop these/,
    )
    // A client that leaves in the middle leaves nobody paused.
    writeFileSync(join(data("source"), "large"), Buffer.alloc(64 << 20, 1))
    const leaving = new AbortController()
    const path = "http://dhow/dhow/volumes/source/archive?pause=1"
    const half = await fetch(path, { unix: engine.socket, signal: leaving.signal })
    await half.body?.getReader().read()
    const status = async (): Promise<string> =>
      (await engine.must<{ State: { Status: string } }>("GET", "/containers/writer/json")).State.Status
    expect(await status()).toBe("paused")
    leaving.abort()
    while ((await status()) !== "running") await Bun.sleep(20)
    await remove("writer")
  })
})

describe("a volume's name", () => {
  test("changes while containers have it, and they go on with it under the new one", async () => {
    await create("before")
    await start("user", [at("before")], "[ -e /d/one ] || echo x > /d/one; sleep 600")
    const one = join(data("before"), "one")
    await until(() => existsSync(one) && readFileSync(one, "utf8") === "x\n")
    const { Id } = await detail("before")
    expect(await engine.must<unknown>("POST", "/dhow/volumes/before/rename?to=after")).toMatchObject({
      Name: "after",
      Id,
    })
    type Shown = { Mounts: { Name: string }[]; HostConfig: { Mounts: { Source: string }[] } }
    const shown = await engine.must<Shown>("GET", "/containers/user/json")
    expect([shown.Mounts[0]?.Name, shown.HostConfig.Mounts[0]?.Source]).toEqual(["after", "after"])
    expect(await refused("DELETE", "/volumes/after")).toMatch(/^409 remove after: volume is in use - \[/)
    expect(await refused("GET", "/volumes/before")).toBe("404 get before: no such volume")
    // The old name is free, and its volume another one.
    const fresh = await create("before")
    expect(fresh.Mountpoint).not.toBe((await detail("after")).Mountpoint)
    expect(readdirSync(fresh.Mountpoint)).toEqual([])
    await engine.must("POST", "/containers/user/restart?t=0")
    expect(readFileSync(join((await detail("after")).Mountpoint, "one"), "utf8")).toBe("x\n")
    expect(await refused("POST", "/dhow/volumes/before/rename?to=after")).toMatch(/^409 .*there is a volume "after"/)
    await engine.kill()
    await engine.start()
    expect((await detail("after")).UsedBy).toMatchObject([{ Name: "user", Running: true, Destinations: ["/d"] }])
    await remove("user")
    const { LastUsedAt } = await detail("after")
    expect(Date.parse(LastUsedAt ?? "")).toBeGreaterThan(Date.now() - 60_000)
    expect((await detail("before")).LastUsedAt).toBeNull()
    await engine.must("DELETE", "/volumes/after")
    await agree(engine)
  })

  test("that is an anonymous volume's stays when its container goes with its volumes", async () => {
    await start("anonymous", [{ Type: "volume", Target: "/d" }], "echo kept > /d/file; sleep 600")
    const { Mounts } = await engine.must<{ Mounts: { Name: string }[] }>("GET", "/containers/anonymous/json")
    await engine.must("POST", `/dhow/volumes/${Mounts[0]?.Name}/rename?to=kept`)
    await remove("anonymous")
    expect(readFileSync(join((await detail("kept")).Mountpoint, "file"), "utf8")).toBe("kept\n")
    await engine.must("DELETE", "/volumes/kept")
  })
})

describe("options of the local driver", () => {
  test("are mounted for the first container and let go after the last, through restarts of the engine", async () => {
    const host = join(engine.root, "host")
    mkdirSync(host)
    writeFileSync(join(host, "file"), "of the host")
    await create("bound", { type: "none", o: "bind", device: host })
    expect(isMounted("bound")).toBe(false)
    await start("first", [at("bound")])
    await start("second", [at("bound", "/d", { VolumeOptions: { Subpath: "file" } })])
    expect(readFileSync(join(data("bound"), "file"), "utf8")).toBe("of the host")
    expect(await detail("bound")).toMatchObject({ Mounted: true, Options: { type: "none", o: "bind", device: host } })
    await remove("first")
    expect(isMounted("bound")).toBe(true)
    await engine.kill()
    await engine.start()
    expect(isMounted("bound")).toBe(true)
    // Its container ends while there is no engine.
    const { State } = await engine.must<{ State: { Pid: number } }>("GET", "/containers/second/json")
    await engine.kill()
    process.kill(State.Pid, "SIGKILL")
    await until(() => !existsSync(`/proc/${State.Pid}`))
    await engine.start()
    await until(() => !isMounted("bound"))
    await remove("second")
    expect(await output("cat /d/file", [at("bound"), at("shown", "/shown")])).toBe("of the host")
    await until(() => !isMounted("bound"))
    await engine.must("POST", "/dhow/volumes/bound/clone?to=own")
    expect(readFileSync(join(data("own"), "file"), "utf8")).toBe("of the host")
    expect((await detail("own")).Options).toBeNull()
    await engine.must("DELETE", "/volumes/bound")
    expect(readFileSync(join(host, "file"), "utf8")).toBe("of the host")
    await agree(engine)
  })

  test("are those of memory too, and read-only ones", async () => {
    await create("memory", { type: "tmpfs", device: "tmpfs", o: "size=2m,uid=7,ro" })
    expect(await output("stat -c %u /d; touch /d/x", [at("memory"), at("shown", "/shown")])).toMatch(/^7\n.*Read-only/s)
    await engine.must("DELETE", "/volumes/memory")
    // As a container's creator asks for them.
    const Options = { type: "tmpfs", device: "tmpfs", o: "uid=9" }
    const asked = at("asked", "/d", { VolumeOptions: { DriverConfig: { Name: "local", Options }, Labels: { a: "b" } } })
    expect(await output("stat -c %u /d", [asked, at("shown", "/shown")])).toBe("9\n")
    expect(await engine.must<unknown>("GET", "/volumes/asked")).toMatchObject({ Options, Labels: { a: "b" } })
    // What has options is not pruned.
    const pruned = await engine.must<unknown>("POST", "/volumes/prune?filters={%22all%22:[%22true%22]}")
    expect(JSON.stringify(pruned)).not.toContain("asked")
    await engine.must("DELETE", "/volumes/asked")
  })

  test("are mounted for containers that run already, and let go with the mount", async () => {
    await start("running", [])
    const Options = { type: "tmpfs", device: "tmpfs", o: "uid=5" }
    const given = { VolumeOptions: { DriverConfig: { Name: "local", Options } } }
    const MountAdd = [at("live", "/named", given), { Type: "volume", Target: "/unnamed", ...given }]
    await engine.must("POST", "/containers/running/update", { MountAdd })
    type Shown = { State: { Pid: number }; Mounts: { Name: string; Destination: string }[] }
    const { State, Mounts } = await engine.must<Shown>("GET", "/containers/running/json")
    for (const { Destination } of Mounts) expect(statSync(`/proc/${State.Pid}/root${Destination}`).uid).toBe(5)
    expect(Mounts.map(({ Name }) => isMounted(Name))).toEqual([true, true])
    await engine.must("POST", "/containers/running/update", { MountRm: ["/named"] })
    await until(() => !isMounted("live"))
    await remove("running")
    await engine.must("DELETE", "/volumes/live")
    await agree(engine)
  })

  test("that cannot be mounted fail the start with Docker's words, and one that does not answer holds up nobody", async () => {
    await create("nowhere", { type: "none", o: "bind", device: "/does/not/exist" })
    const there = { Image: "bb", Cmd: ["true"], HostConfig: { Mounts: [at("nowhere")] } }
    await engine.must("POST", "/containers/create?name=fails", there)
    expect(await refused("POST", "/containers/fails/start")).toContain(
      `error while mounting volume '${data("nowhere")}': failed to mount local volume: mount /does/not/exist:${data("nowhere")}, flags: 0x1000: no such file or directory`,
    )
    await remove("fails")

    // A file system whose server never answers: as one on a network that is gone.
    const dead = join(engine.root, "dead")
    mkdirSync(dead)
    const fuse = openSync("/dev/fuse", "r+")
    try {
      mount("dead", dead, { type: "fuse", data: `fd=${fuse},rootmode=40000,user_id=0,group_id=0` })
      await create("hangs", { type: "none", o: "bind", device: join(dead, "share") })
      await engine.must("POST", "/containers/create?name=waits", { ...there, HostConfig: { Mounts: [at("hangs")] } })
      const began = Date.now()
      const waiting = refused("POST", "/containers/waits/start")
      expect((await engine.call("GET", "/_ping")).status).toBe(200)
      await start("other", [at("shown")], "true")
      expect(await waiting).toMatch(/^503 error while mounting volume '.*': no answer within 1 s/)
      expect(Date.now() - began).toBeGreaterThan(900)
      await remove("other")
      await remove("waits")
      await engine.must("DELETE", "/volumes/hangs")
    } finally {
      unmountAll(dead)
      closeSync(fuse)
    }
    await engine.must("DELETE", "/volumes/nowhere")
    await agree(engine)
  })

  test.skipIf(!hasTools)("limit how much a volume holds, and the limit grows", async () => {
    await create("limited", { size: "8m" })
    const fill = "dd if=/dev/zero of=/d/file bs=1M count=20; stat -c %s /d/file"
    expect(await output(fill, [at("limited"), at("shown", "/shown")])).toContain("No space left on device")
    await engine.must("POST", "/dhow/volumes/limited/resize?size=64m")
    expect(await output(fill, [at("limited"), at("shown", "/shown")])).toContain(String(20 << 20))
    expect(await detail("limited")).toMatchObject({ Limit: 64 << 20, LimitedBy: "image", Options: { size: "64m" } })
    expect(await refused("POST", "/dhow/volumes/limited/resize?size=8m")).toMatch(/^400 .*only grows/)
    expect(await refused("POST", "/volumes/create", { Name: "tiny", DriverOpts: { size: "1k" } })).toMatch(/too small/)
    await engine.must("POST", "/dhow/volumes/limited/snapshots?name=full")
    await engine.must("POST", "/dhow/volumes/limited/restore?snapshot=full")
    await engine.must("POST", "/dhow/volumes/limited/clone?to=twin")
    expect(await output("stat -c %s /d/file", [at("twin"), at("shown", "/shown")])).toBe(`${20 << 20}\n`)
    // What does not fit is not there at all.
    writeFileSync(join(engine.root, "more"), Buffer.alloc(20 << 20, 1))
    const more = Bun.spawnSync(["tar", "-c", "more"], { cwd: engine.root }).stdout
    expect(await refused("PUT", "/dhow/volumes/small/archive?opt=size=8m", more)).toMatch(/^500 .*(ENOSPC|No space)/i)
    expect((await engine.call("GET", "/volumes/small")).status).toBe(404)
    const usage = await engine.must<{ Volumes: VolumeInspect[] }>("GET", "/system/df?type=volume")
    const size = usage.Volumes.find(({ Name }) => Name === "limited")?.UsageData?.Size ?? 0
    expect(size).toBeGreaterThan(20 << 20)
    expect(size).toBeLessThan(64 << 20)
    for (const name of ["limited", "twin"]) await engine.must("DELETE", `/volumes/${name}`)
    await agree(engine)
  })
})

// Paths on a file system whose server does not answer any more, as a dead NFS server's: what would have to look at them is
// refused with the reason, what need not is not touched by it, and the engine answers everybody else meanwhile.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { testEngine } from "../support/fixture.ts"
import { agree } from "../support/invariants.ts"
import { SilentFiles } from "../support/silent-files.ts"

const hasFuse = existsSync("/dev/fuse") && readFileSync("/proc/filesystems", "utf8").includes("\tfuse\n")

describe.skipIf(!hasFuse)("a file system that does not answer", () => {
  const engine = testEngine()
  let files: SilentFiles | undefined
  let dead = ""

  beforeAll(() => {
    files = SilentFiles.mountAt(join(engine.root, "silent"))
    dead = join(engine.root, "silent/dead")
    symlinkSync(dead, join(engine.root, "link"))
  })
  afterAll(() => files?.close())

  const where = (): string => `the file system at "${join(engine.root, "silent")}" (fuse) does not answer`
  const refused = async (method: string, path: string, body?: unknown): Promise<string> => {
    const { status, json } = await engine.call(method, path, body)
    return `${status} ${(json as { message?: string } | undefined)?.message}`
  }
  const create = (name: string, hostConfig: object) =>
    engine.call("POST", `/containers/create?name=${name}`, {
      ...{ Image: "bb", Cmd: ["sleep", "600"], HostConfig: { NetworkMode: "none", ...hostConfig } },
    })

  test("is named by create and start, and others are answered meanwhile", async () => {
    const mounts = [{ Type: "bind", Source: join(engine.root, "link"), Target: "/x" }]
    let isRefused = false
    const creating = create("never", { Mounts: mounts }).then((answer) => {
      isRefused = true
      return answer
    })
    expect((await engine.call("GET", "/_ping")).text).toBe("OK")
    expect(isRefused).toBe(false)
    const { status, json } = await creating
    expect([status, (json as { message: string }).message]).toEqual([
      503,
      expect.stringContaining(`Cannot look at "${join(engine.root, "link")}": ${where()}`),
    ])
    // -v looks at nothing before the start.
    expect((await create("bound", { Binds: [`${dead}:/x`] })).status).toBe(201)
    expect(await refused("POST", "/containers/bound/start")).toContain(where())
    // Nobody waits for it a second time, and nobody hangs for each that asks.
    for (let time = 0; time < 20; time++) expect(await refused("POST", "/containers/bound/start")).toContain(where())
    expect(await engine.must("GET", "/containers/bound/json")).toMatchObject({ State: { Status: "created" } })
    expect(await refused("GET", "/containers/bound/archive?path=/etc/passwd")).toContain(where())
    await engine.must("DELETE", "/containers/bound")
  })

  test("is named by a device's path, an update's mount and a place for an image", async () => {
    expect((await create("device", { Devices: [{ PathOnHost: dead, PathInContainer: "/dev/x" }] })).status).toBe(201)
    expect(await refused("POST", "/containers/device/start")).toContain(where())
    const update = { MountAdd: [{ Type: "bind", Source: dead, Target: "/y" }] }
    expect(await refused("POST", "/containers/device/update", update)).toContain(where())
    expect(await refused("POST", `/dhow/images/bb/mount?target=${dead}`)).toContain(where())
    await engine.must("DELETE", "/containers/device")
  })

  test("that came when a container ran already leaves its end, its list and the disk's usage alone", async () => {
    const place = join(engine.root, "late")
    mkdirSync(join(place, "sub"), { recursive: true })
    expect((await create("runs", { Binds: [`${place}/sub:/x`, "vol:/vol"] })).status).toBe(201)
    await engine.must("POST", "/containers/runs/start")
    const volume = await engine.must<{ Mountpoint: string }>("GET", "/volumes/vol")
    const late = [SilentFiles.mountAt(place), SilentFiles.mountAt(join(volume.Mountpoint, "inside"))]
    try {
      expect(await refused("GET", "/containers/runs/archive?path=/etc/passwd")).toContain("does not answer")
      expect(await engine.must("GET", "/system/df")).toMatchObject({ Volumes: [{ Name: "vol" }] })
      expect((await engine.call("GET", "/containers/json?size=1")).status).toBe(200)
      expect((await engine.call("GET", "/containers/runs/json?size=1")).status).toBe(200)
      await engine.must("POST", "/containers/runs/stop?t=0")
      await engine.must("DELETE", "/containers/runs")
    } finally {
      for (const one of late) one.close()
    }
    await engine.must("DELETE", "/volumes/vol")
    await agree(engine)
  })

  test("that answers again is looked at again", async () => {
    files?.close()
    mkdirSync(dead, { recursive: true })
    expect((await create("again", { Binds: [`${dead}:/x`] })).status).toBe(201)
    await engine.must("POST", "/containers/again/start")
    await engine.must("DELETE", "/containers/again?force=1")
    await agree(engine)
  })
})

// The engine is killed at every crash point of what is done with volumes: when it is back a volume is as it was or as it was
// to be, nothing else is left on the disk or mounted, and the same work can be done.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { agree } from "../support/invariants.ts"

const SOURCE = join(import.meta.dir, "../../src")
const points = [
  ...new Set(
    [...new Bun.Glob("engine/volumes/*.ts").scanSync({ cwd: SOURCE })].flatMap((path) =>
      [...readFileSync(join(SOURCE, path), "utf8").matchAll(/crashpoint\("([^"]+)"\)/g)].map(([, name = ""]) => name),
    ),
  ),
].filter((name) => !/^volume\.(create|remove):/.test(name))

const engine = new TestEngine()
const hasTools = Bun.which("mkfs.ext4", { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }) !== null
const file = (volume: string): string => {
  const path = join(engine.dataRoot, "volumes", volume, "_data/word")
  return existsSync(path) ? readFileSync(path, "utf8") : ""
}

async function inContainer(binds: readonly string[], script: string): Promise<void> {
  const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create", {
    Image: "bb",
    Cmd: ["sh", "-c", script],
    HostConfig: { Binds: binds, NetworkMode: "none" },
  })
  await engine.must("POST", `/containers/${Id}/start`)
  await engine.must("POST", `/containers/${Id}/wait`)
  await engine.must("DELETE", `/containers/${Id}?force=1`)
}

/** Each ends early where the engine is killed. */
const LIVES = {
  async plain() {
    await engine.must("POST", "/volumes/create", { Name: "data" })
    await inContainer(["data:/d"], "echo old > /d/word")
    await engine.must("POST", "/dhow/volumes/data/snapshots?name=one")
    await inContainer(["data:/d"], "echo new > /d/word")
    await engine.must("POST", "/dhow/volumes/data/restore?snapshot=one")
    await engine.must("POST", "/dhow/volumes/data/clone?to=copy")
    await engine.must("DELETE", "/dhow/volumes/data/snapshots/one")
  },
  async elsewhere() {
    const DriverOpts = { type: "tmpfs", device: "tmpfs", o: "size=1m" }
    await engine.must("POST", "/volumes/create", { Name: "memory", DriverOpts })
    await inContainer(["memory:/d"], "echo x > /d/word")
  },
  async limited() {
    await engine.must("POST", "/volumes/create", { Name: "limited", DriverOpts: { size: "8m" } })
    await inContainer(["limited:/d"], "echo old > /d/word")
    await engine.must("POST", "/dhow/volumes/limited/resize?size=12m")
    await engine.must("POST", "/dhow/volumes/limited/snapshots?name=one")
    await engine.must("POST", "/dhow/volumes/limited/restore?snapshot=one")
  },
}
type Life = keyof typeof LIVES

/** The lives that lead by a point. */
function livesOf(point: string): Life[] {
  if (/format|resize/.test(point)) return ["limited"]
  if (/mount/.test(point)) return ["elsewhere"]
  return /after-exchange/.test(point) ? ["plain", "limited"] : ["plain"]
}

async function tidy(): Promise<void> {
  for (const { Id } of await engine.must<{ Id: string }[]>("GET", "/containers/json?all=1"))
    await engine.must("DELETE", `/containers/${Id}?force=1`)
  for (const name of ["data", "copy", "memory", "limited"]) await engine.must("DELETE", `/volumes/${name}?force=1`)
}

beforeAll(async () => {
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
}, 30_000)
afterAll(() => engine.destroy(), 30_000)

test("there are crash points to test", () => {
  expect(points.length).toBeGreaterThan(9)
})

for (const [point, life] of points.flatMap((one) => livesOf(one).map((life) => [one, life] as const)))
  test.skipIf(!hasTools && life === "limited")(
    `killed at ${point}, the ${life} volume is as it was or as it was to be`,
    async () => {
      await engine.kill()
      await engine.start({ DHOW_CRASH_AT: point })
      try {
        const trouble = await LIVES[life]().then(
          () => "lived through",
          (error: unknown) => String(error),
        )
        const end = await Promise.race([engine.ended().then(() => "killed"), Bun.sleep(3000).then(() => trouble)])
        expect(`${point}: ${end}`).toBe(`${point}: killed`)
        await engine.start()
        await agree(engine)
        const { Volumes } = await engine.must<{ Volumes: { Name: string }[] }>("GET", "/volumes")
        for (const { Name } of Volumes) await look(Name)
      } finally {
        if (!engine.isRunning) await engine.start()
        await tidy()
      }
    },
    60_000,
  )

test("after all of it the same work is done once more", async () => {
  await engine.kill()
  await engine.start()
  await LIVES.plain()
  await LIVES.elsewhere()
  if (hasTools) await LIVES.limited()
  await agree(engine)
}, 60_000)

async function look(name: string): Promise<void> {
  if (name === "data") expect(["old\n", "new\n", ""]).toContain(file(name))
  if (name === "copy") expect(file(name)).toBe("old\n")
  if (name !== "limited") return
  type Detail = { readonly Options: { readonly size: string }; readonly Limit: number }
  const { Options, Limit } = await engine.must<Detail>("GET", "/dhow/volumes/limited")
  expect(Limit).toBe(Number.parseInt(Options.size, 10) << 20)
  await engine.must("POST", "/volumes/create", { Name: "data" })
  await inContainer(["limited:/d", "data:/to"], "cat /d/word > /to/word; df -k /d > /to/size")
  expect(["old\n", ""]).toContain(file("data"))
  const told = readFileSync(join(engine.dataRoot, "volumes/data/_data/size"), "utf8")
  // What the row says is what there is, but for what the file system needs itself.
  expect(Number(/(\d+) +\d+ +\d+ +\d+%/.exec(told)?.[1]) / (Limit >> 10)).toBeGreaterThan(0.7)
}

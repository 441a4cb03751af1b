// The engine is killed at every crash point that the source names, in the middle of what users do; a container that ran
// before goes on, one that ended meanwhile is known to have ended, and afterwards everything agrees and works.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { loggedLines } from "../support/follow.ts"
import { agree } from "../support/invariants.ts"

const SOURCE = join(import.meta.dir, "../../src")
/** Crash points with tests of their own, beside the part they belong to. */
const ELSEWHERE =
  /^registry\.|^snapshot\.(?!prepare|remove:)|^supervisor\.|^network\.|^images\.(pull|push):|^manifests\.|^logging\.(json-file|forward):|^container\.(update|map):|^volume\.(?!create|remove)/

const points = [
  ...new Set(
    [...new Bun.Glob("**/*.ts").scanSync({ cwd: SOURCE })]
      .filter((path) => !path.endsWith(".test.ts"))
      .flatMap((path) =>
        [...readFileSync(join(SOURCE, path), "utf8").matchAll(/crashpoint\("([^"]+)"\)/g)].map(([, name = ""]) => name),
      ),
  ),
].sort()

const DISTRO = "distro.local/busybox"
const image = busyboxTar()
const engine = new TestEngine()

async function create(name: string, config: Record<string, unknown>): Promise<string> {
  const { Id } = await engine.must<{ Id: string }>("POST", `/containers/create?name=${name}`, {
    Image: "bb",
    ...config,
  })
  return Id
}

/** What users do, touching every part; ends early, with an error, when the engine is killed. */
async function life(point: string): Promise<void> {
  // Packages are fetched for it: only where that is what is interrupted.
  if (point.startsWith("images.distro")) await engine.must("POST", `/images/create?fromImage=${DISTRO}&tag=latest`)
  await engine.must("POST", "/images/create?fromSrc=-&repo=scratch&tag=one", image)
  await engine.must("POST", "/volumes/create", { Name: "v1" })
  await create("worker", {
    Cmd: ["sh", "-c", "echo begin; sleep 60"],
    Volumes: { "/vol": {} },
    HostConfig: { Binds: ["v1:/data"], Mounts: [{ Type: "image", Source: "scratch:one", Target: "/image" }] },
  })
  await engine.must("POST", "/containers/worker/start")
  const { Id: exec } = await engine.must<{ Id: string }>("POST", "/containers/worker/exec", {
    Cmd: ["true"],
    AttachStdout: true,
  })
  await engine.must("POST", `/exec/${exec}/start`, { Detach: true })
  await engine.must("POST", "/containers/worker/pause")
  await engine.must("POST", "/containers/worker/unpause")
  await engine.must("POST", "/networks/create", { Name: "net1" })
  await engine.must("POST", "/networks/net1/connect", { Container: "worker" })
  await engine.must("POST", "/networks/net1/disconnect", { Container: "worker" })
  await engine.must("DELETE", "/networks/net1")
  await engine.must("POST", "/commit?container=worker&repo=scratch&tag=committed")
  const { Target } = await engine.must<{ Target: string }>("POST", "/dhow/images/scratch:committed/mount")
  await engine.must("POST", `/dhow/images/unmount?name=${Target}`)
  await engine.must("DELETE", "/images/scratch:committed")
  await engine.must("POST", "/containers/worker/rename?name=renamed")
  await engine.must("POST", "/containers/renamed/restart?t=0")
  await engine.must("POST", "/containers/renamed/stop?t=0")
  await engine.must("POST", "/containers/renamed/start")
  await engine.must("POST", "/containers/renamed/kill")
  await engine.must("DELETE", "/containers/renamed?force=1&v=1")
  await create("short", { Cmd: ["sh", "-c", "exit 3"], HostConfig: { AutoRemove: true, NetworkMode: "none" } })
  const ended = engine.call("POST", "/containers/short/wait?condition=removed")
  ended.catch(() => undefined)
  await engine.must("POST", "/containers/short/start")
  await ended
  await create("chatty", {
    Cmd: ["sh", "-c", "yes | head -c 300000"],
    HostConfig: { LogConfig: { Type: "local", Config: { "max-size": "20k", keep: "1h" } } },
  })
  await engine.must("POST", "/containers/chatty/start")
  await engine.must("POST", "/containers/chatty/wait")
  await create("stale", { Cmd: ["true"], Volumes: { "/vol": {} } })
  await engine.must("POST", "/containers/prune")
  await engine.must("POST", "/dhow/containers/chatty/logs/clear")
  await engine.must("DELETE", "/volumes/v1")
  await engine.must("DELETE", "/images/scratch:one")
}

/** Takes away what an interrupted life left, as a user would. */
async function tidy(): Promise<void> {
  for (const name of ["worker", "renamed", "short", "chatty", "stale"])
    await engine.call("DELETE", `/containers/${name}?force=1&v=1`)
  await engine.call("DELETE", "/volumes/v1?force=1")
  await engine.call("DELETE", "/networks/net1")
  await engine.call("POST", "/dhow/images/unmount?name=scratch:committed")
  await engine.call("DELETE", "/images/scratch:committed")
  await engine.call("DELETE", "/images/scratch:one")
  await engine.call("DELETE", `/images/${DISTRO}:latest`)
}

beforeAll(async () => {
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb", image)
  await create("keeper", { Cmd: ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"] })
  await engine.must("POST", "/containers/keeper/start")
}, 30_000)

afterAll(async () => {
  await engine.destroy()
}, 30_000)

test("there are crash points to test", () => {
  expect(points.length).toBeGreaterThan(20)
})

for (const point of points.filter((name) => !ELSEWHERE.test(name))) {
  test(`killed at ${point}, the engine comes back with everything in agreement`, async () => {
    await engine.kill()
    // Some points lie on the way of the boot itself.
    const isUp = await engine.start({ DHOW_CRASH_AT: point }).then(
      () => true,
      () => false,
    )
    let trouble: unknown
    if (isUp) await life(point).catch((error: unknown) => (trouble = error))
    const end = await Promise.race([
      engine.ended().then(() => "killed"),
      Bun.sleep(3000).then(() => `never reached: ${trouble ?? "lived through"}`),
    ])
    expect(`${point}: ${end}`).toBe(`${point}: killed`)

    await engine.start()
    const keeper = await engine.must<{ State: { Running: boolean } }>("GET", "/containers/keeper/json")
    expect(keeper.State.Running).toBe(true)
    await agree(engine)
    await tidy()
    await life(point)
    await agree(engine)
  }, 60_000)
}

test("the container that ran through all of it has lost no line of its log", async () => {
  await engine.must("POST", "/containers/keeper/kill")
  const numbers = (await loggedLines(engine, "keeper")).map(Number)
  expect(numbers.length).toBeGreaterThan(50)
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
})

// The engine is killed at every crash point of an update; when it is back, the container is as it was or as it was to be,
// in its row and in the kernel alike, it runs, and everything agrees.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseMountinfo } from "../../src/lib/mountinfo.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { agree } from "../support/invariants.ts"
import { publishedTargets } from "../support/kernel-objects.ts"

const engine = new TestEngine()

const LIVE = [
  "container.update:before-live",
  "container.update:after-limits",
  "container.update:after-attach",
  "network.change-ports:before-row",
  "container.update:before-row",
  "container.update:before-detach",
  "container.update:after-detach",
]
const RESTARTING = ["container.update:before-restart", "container.update:after-rollback"]
const ON_THE_WAY = ["container.exit:after-row", "container.start:after-launch"]

type Inspect = {
  readonly Id: string
  readonly State: { readonly Pid: number; readonly Running: boolean; readonly StartedAt: string }
  readonly Config: { readonly Env: string[]; readonly Labels: Record<string, string> }
  readonly HostConfig: { readonly Memory: number; readonly PortBindings: Record<string, unknown> | null }
  readonly Mounts: readonly { readonly Destination: string }[]
  readonly NetworkSettings: { readonly Ports: Record<string, unknown[]>; readonly IPAddress: string }
}

const inspect = (): Promise<Inspect> => engine.must<Inspect>("GET", "/containers/web/json")

/** What the row says and what the kernel does, told in the same words. */
async function views(): Promise<{ readonly row: unknown; readonly kernel: unknown; readonly container: Inspect }> {
  const container = await inspect()
  const { Mounts, HostConfig, NetworkSettings, State, Id } = container
  const seen = parseMountinfo(readFileSync(`/proc/${State.Pid}/mountinfo`, "utf8")).map(({ path }) => path)
  const places = ["/old", "/fresh", "/swap"].filter((path) => seen.includes(path))
  const ports = publishedTargets(engine.bridge).length
  return {
    container,
    row: {
      mounts: ["/old", "/fresh", "/swap"].filter((path) => Mounts.some(({ Destination }) => Destination === path)),
      memory: HostConfig.Memory,
      ports: Object.values(NetworkSettings.Ports).flat().length,
    },
    kernel: { mounts: places, memory: memoryLimit(Id), ports },
  }
}

function memoryLimit(id: string): number {
  const v1 = join("/sys/fs/cgroup/memory", engine.cgroupParent, id, "memory.limit_in_bytes")
  const v2 = join("/sys/fs/cgroup", engine.cgroupParent, id, "memory.max")
  return Number(readFileSync(existsSync(v1) ? v1 : v2, "utf8"))
}

const OLD = { Type: "tmpfs", Target: "/old" }
const SWAP = { Type: "tmpfs", Target: "/swap" }

async function fresh(): Promise<void> {
  await engine.call("DELETE", "/containers/web?force=1&v=1")
  await engine.must("POST", "/containers/create?name=web", {
    Image: "bb",
    Cmd: ["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"],
    Env: ["A=1"],
    HostConfig: { Memory: 64 << 20, MemorySwap: 128 << 20, Mounts: [OLD, SWAP], PortBindings: { "80/tcp": [{}] } },
  })
  await engine.must("POST", "/containers/web/start")
}

/** Starts an engine that dies at `point`, sends the update, and starts another one. */
async function interrupted(point: string, body: unknown): Promise<void> {
  await engine.kill()
  await engine.start({ DHOW_CRASH_AT: point })
  const answer = engine.call("POST", "/containers/web/update", body)
  answer.catch(() => undefined)
  const end = await Promise.race([
    engine.ended().then(() => "killed"),
    answer
      .then(({ status, text }) => Bun.sleep(3000).then(() => `answered ${status} ${text}`))
      .catch(() => engine.ended().then(() => "killed")),
  ])
  expect(`${point}: ${end}`).toBe(`${point}: killed`)
  await engine.start()
}

/** A restart that is due is done behind the boot. */
async function settled(): Promise<Inspect> {
  for (let tried = 0; ; tried++) {
    const container = await inspect()
    const answer = await engine.call("POST", "/containers/web/update", { LabelAdd: { settled: "yes" } })
    if (container.State.Running && answer.status === 200) return await inspect()
    if (tried === 200) throw new Error(`The update is not settled: ${JSON.stringify(container.State)} ${answer.text}`)
    await Bun.sleep(50)
  }
}

/** A process that was just let go is still the runtime's for a moment. */
async function hasInEnvironment(pid: number, entry: string): Promise<void> {
  for (let tried = 0; !readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(entry); tried++) {
    if (tried === 200) throw new Error(`Process ${pid} does not have ${entry} in its environment`)
    await Bun.sleep(20)
  }
}

beforeAll(async () => {
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
}, 30_000)

afterAll(async () => {
  await engine.destroy()
}, 30_000)

for (const point of LIVE) {
  test(`killed at ${point}, the running container is as before or as after`, async () => {
    await fresh()
    const before = await views()
    await interrupted(point, {
      Memory: 96 << 20,
      PublishAdd: { "81/tcp": [{}] },
      MountAdd: [{ Type: "tmpfs", Target: "/fresh" }, SWAP],
      MountRm: ["/old", "/swap"],
    })
    const { row, kernel, container } = await views()
    expect(kernel).toEqual(row)
    expect(container.State.Pid).toBe(before.container.State.Pid)
    const isAfter = container.HostConfig.Memory === 96 << 20
    const after = { mounts: ["/fresh", "/swap"], memory: 96 << 20, ports: 2 }
    expect(row).toEqual(isAfter ? after : before.row)
    expect(isAfter).toBe(/detach$/.test(point))
    await settled()
    await agree(engine)
    // What it has once made is no obstacle to making it again.
    if (!isAfter)
      await engine.must("POST", "/containers/web/update", { MountAdd: [{ Type: "tmpfs", Target: "/fresh" }] })
  }, 30_000)
}

for (const point of [...RESTARTING, ...ON_THE_WAY]) {
  test(`killed at ${point}, a restart by an update is finished or undone`, async () => {
    await fresh()
    const before = await inspect()
    const fails = point.endsWith("rollback")
    await interrupted(point, {
      EnvAdd: ["A=2"],
      RestartNow: true,
      ...(fails ? { Cmd: ["/nonesuch"] } : {}),
    })
    const container = await settled()
    expect(container.Config.Env).toContain(fails ? "A=1" : "A=2")
    expect(container.State.StartedAt).not.toBe(before.State.StartedAt)
    await hasInEnvironment(container.State.Pid, fails ? "A=1" : "A=2")
    if (!fails) expect(container.NetworkSettings.IPAddress).toBe(before.NetworkSettings.IPAddress)
    await agree(engine)
  }, 30_000)
}

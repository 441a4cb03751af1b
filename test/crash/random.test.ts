// The engine is killed again and again in the middle of mixed load, at moments nobody chose. What ran goes on, nothing it
// said is lost, ends are known, policies are honoured, and in the end rows and reality agree and nothing is left behind.
// DHOW_TEST_SEED repeats a run's choices (not its timing).
import { afterAll, beforeAll, expect, test } from "bun:test"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { Follower, loggedLines } from "../support/follow.ts"
import { agree } from "../support/invariants.ts"
import { remains } from "../support/kernel-objects.ts"

const OPERATIONS = 200
/** How often some are done; the others once in a round of all. */
const WEIGHTS: Readonly<Record<string, number>> = { create: 12, start: 8, run: 4, exec: 3, import: 3, logs: 2 }
const CLIENTS = 4
const KILLS = 16

const seed = Number(process.env["DHOW_TEST_SEED"] ?? Date.now() % 1_000_000)
const random = mulberry(seed)
const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T

const image = busyboxTar()
const engine = new TestEngine()
const troubles: string[] = []

type Inspect = { State: { Status: string; Running: boolean; ExitCode: number; Pid: number }; RestartCount: number }

async function create(name: string, command: string, hostConfig: Record<string, unknown> = {}): Promise<void> {
  const body = { Image: "bb", Cmd: ["sh", "-c", command], StopSignal: "SIGKILL", HostConfig: hostConfig }
  await engine.must("POST", `/containers/create?name=${name}`, body)
  await engine.must("POST", `/containers/${name}/start`)
}

const inspect = (name: string): Promise<Inspect> => engine.must<Inspect>("GET", `/containers/${name}/json`)

const container = (): string => pick(["n0", "n1", "n2", "n3"])
const volume = (): string => pick(["v0", "v1"])
const tag = (): string => pick(["t0", "t1", "t2"])

/** Each is one thing that a user does; several are under way at once, on the same few names. */
const operations: Readonly<Record<string, () => Promise<unknown>>> = {
  create: () =>
    request("POST", `/containers/create?name=${container()}`, {
      Image: pick(["bb", "bb", "bb", `local:${tag()}`]),
      Cmd: ["sh", "-c", pick(["exit 3", "sleep 0.05; echo said", "sleep 60", "sleep 60", "yes | head -n 2000"])],
      StopSignal: "SIGKILL",
      Volumes: pick([undefined, { "/anonymous": {} }]),
      HostConfig: {
        NetworkMode: pick(["bridge", "bridge", "none", "host"]),
        Binds: pick([undefined, [`${volume()}:/data`]]),
        RestartPolicy: pick([undefined, undefined, { Name: "on-failure", MaximumRetryCount: 2 }]),
        PortBindings: pick([undefined, { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] }]),
      },
    }),
  start: () => request("POST", `/containers/${container()}/start`),
  stop: () => request("POST", `/containers/${container()}/stop?t=0`),
  kill: () => request("POST", `/containers/${container()}/kill`),
  restart: () => request("POST", `/containers/${container()}/restart?t=0`),
  stopInTime: () => request("POST", `/containers/${container()}/stop?t=1&signal=TERM`),
  restartInTime: () => request("POST", `/containers/${container()}/restart?t=1&signal=TERM`),
  commit: () => request("POST", `/commit?container=${container()}&repo=local&tag=${tag()}`),
  changes: () => request("GET", `/containers/${container()}/changes`),
  top: () => request("GET", `/containers/${container()}/top`),
  remove: () => request("DELETE", `/containers/${container()}?v=1`),
  removeByForce: () => request("DELETE", `/containers/${container()}?force=1&v=1`),
  pause: () => request("POST", `/containers/${container()}/pause`),
  unpause: () => request("POST", `/containers/${container()}/unpause`),
  rename: () => request("POST", `/containers/${container()}/rename?name=${container()}`),
  logs: () => request("GET", `/containers/${container()}/logs?stdout=1&stderr=1`),
  exec: async () => {
    const made = await request("POST", `/containers/${container()}/exec`, {
      Cmd: ["sh", "-c", "sleep 0.05"],
      AttachStdout: true,
    })
    const { Id } = (made?.json ?? {}) as { Id?: string }
    if (Id !== undefined) await request("POST", `/exec/${Id}/start`, { Detach: true })
  },
  list: () => request("GET", "/containers/json?all=1"),
  import: () => request("POST", `/images/create?fromSrc=-&repo=local&tag=${tag()}`, image),
  tag: () => request("POST", `/images/local:${tag()}/tag?repo=local&tag=${tag()}`),
  removeImage: () => request("DELETE", `/images/local:${tag()}`),
  createVolume: () => request("POST", "/volumes/create", { Name: volume() }),
  removeVolume: () => request("DELETE", `/volumes/${volume()}`),
  run: async () => {
    const made = await request("POST", "/containers/create", {
      Image: "bb",
      Cmd: ["sh", "-c", "exit 4"],
      HostConfig: { AutoRemove: true, NetworkMode: pick(["bridge", "none"]) },
    })
    const { Id } = (made?.json ?? {}) as { Id?: string }
    if (Id === undefined) return
    await request("POST", `/containers/${Id}/start`)
    const ended = await request("POST", `/containers/${Id}/wait?condition=removed`)
    const code = (ended?.json as { StatusCode?: number } | undefined)?.StatusCode
    if (code !== undefined && code !== 4) troubles.push(`run --rm ended with ${code}`)
  },
}

const names = Object.keys(operations).flatMap((name) => new Array<string>(WEIGHTS[name] ?? 1).fill(name))

/** Undefined when the engine went away before it had answered. Any refusal is fine; the engine's own failure is not. */
async function request(method: string, path: string, body?: unknown) {
  for (;;) {
    await up
    try {
      const answer = await engine.call(method, path, body)
      if (answer.status >= 500) troubles.push(`${method} ${path}: ${answer.status} ${answer.text}`)
      return answer
    } catch {
      return undefined
    }
  }
}

/** Settles whenever the engine serves. */
let up: Promise<void> = Promise.resolve()

async function crash(away: number): Promise<void> {
  await engine.kill()
  const { promise, resolve } = Promise.withResolvers<void>()
  up = promise
  if (/caught by nobody|awaited by nobody/.test(engine.log())) troubles.push(engine.log())
  await Bun.sleep(away)
  await engine.start()
  resolve()
}

beforeAll(async () => {
  console.log(`seed ${seed}`)
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb", image)
  await create("keeper", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done")
}, 30_000)

afterAll(async () => {
  await engine.destroy()
  expect(remains(engine)).toEqual([])
}, 30_000)

test("the engine survives being killed at random during mixed load", async () => {
  await create("again", "sleep 0.3", { RestartPolicy: { Name: "always" } })
  await create("failing", "exit 5", { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } })
  await create("stopped", "sleep 60", { RestartPolicy: { Name: "unless-stopped" } })
  await create("kept", "sleep 600", { RestartPolicy: { Name: "unless-stopped" } })
  await engine.must("POST", "/containers/stopped/stop?t=0")
  const follower = new Follower(engine, "keeper")
  const firstPid = (await inspect("kept")).State.Pid

  let begun = 0
  const client = async (): Promise<void> => {
    while (begun < OPERATIONS) {
      begun++
      await operations[pick(names)]?.()
    }
  }
  const clients = Promise.all(Array.from({ length: CLIENTS }, client))
  for (let kill = 1; kill <= KILLS; kill++) {
    const due = (OPERATIONS * kill) / (KILLS + 1)
    while (begun < due) await Bun.sleep(2)
    await Bun.sleep(random() * 30)
    if (kill % 4 === 0) {
      await create(`timed${kill}`, "sleep 0.3; echo the end; exit 7", { NetworkMode: "none" })
      if (kill === 8) process.kill(firstPid, "SIGKILL")
      await crash(500)
      expect((await inspect(`timed${kill}`)).State).toMatchObject({ Status: "exited", ExitCode: 7 })
      const { StatusCode } = await engine.must<{ StatusCode: number }>("POST", `/containers/timed${kill}/wait`)
      expect(StatusCode).toBe(7)
      const { text } = await engine.call("GET", `/containers/timed${kill}/logs?stdout=1`)
      expect(text).toContain("the end")
    } else await crash(random() * 40)
  }
  await clients
  expect(troubles).toEqual([])
  await agree(engine)

  expect((await inspect("stopped")).State.Status).toBe("exited")
  expect((await inspect("failing")).State).toMatchObject({ Status: "exited", ExitCode: 5 })
  expect((await inspect("failing")).RestartCount).toBe(3)
  expect((await inspect("again")).RestartCount).toBeGreaterThan(3)
  const kept = await inspect("kept")
  expect(kept.State.Running).toBe(true)
  expect(kept.State.Pid).not.toBe(firstPid)

  const ended = engine.must<{ StatusCode: number }>("POST", "/containers/keeper/wait")
  await Bun.sleep(100)
  await engine.must("POST", "/containers/keeper/kill")
  expect((await ended).StatusCode).toBe(137)
  const logged = (await loggedLines(engine, "keeper")).map(Number)
  const all = Array.from({ length: logged.length }, (_, index) => index + 1)
  expect(logged).toEqual(all)
  expect(logged.length).toBeGreaterThan(100)
  const patience = Date.now() + 5000
  while (follower.lines.length < logged.length && Date.now() < patience) await Bun.sleep(20)
  await follower.stop()
  expect(follower.lines.map(Number)).toEqual(all)
  expect(follower.connections).toBeGreaterThan(KILLS / 2)
}, 60_000)

test("after everything was removed nothing is left", async () => {
  const containers = await engine.must<{ Id: string }[]>("GET", "/containers/json?all=1")
  await Promise.all(containers.map(({ Id }) => engine.must("DELETE", `/containers/${Id}?force=1&v=1`)))
  for (const name of ["v0", "v1"]) await engine.must("DELETE", `/volumes/${name}?force=1`)
  const images = await engine.must<{ Id: string }[]>("GET", "/images/json")
  for (const { Id } of images) await engine.must("DELETE", `/images/${Id}?force=1`)
  await agree(engine)
  expect(await engine.must<unknown>("GET", "/volumes")).toMatchObject({ Volumes: [] })
}, 30_000)

/** A small generator of pseudo-random numbers in [0, 1). */
function mulberry(from: number): () => number {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

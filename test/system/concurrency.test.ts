// Many clients at once, on many containers and on one; clients that vanish; and the engine's own consumption over a
// thousand runs.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { agree } from "../support/invariants.ts"
import { remains } from "../support/kernel-objects.ts"

const engine = new TestEngine()

beforeAll(async () => {
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
}, 30_000)

afterAll(async () => {
  expect(engine.log()).not.toMatch(/caught by nobody|awaited by nobody/)
  await engine.destroy()
  expect(remains(engine)).toEqual([])
}, 30_000)

async function create(name: string, cmd: readonly string[], hostConfig: Record<string, unknown> = {}): Promise<string> {
  const { Id } = await engine.must<{ Id: string }>("POST", `/containers/create?name=${name}`, {
    Image: "bb",
    Cmd: cmd,
    HostConfig: hostConfig,
  })
  return Id
}

async function run(name: string, cmd: readonly string[], hostConfig: Record<string, unknown> = {}): Promise<string> {
  const id = await create(name, cmd, hostConfig)
  await engine.must("POST", `/containers/${id}/start`)
  return id
}

/** Statuses of requests sent all at once; throws when one of them hangs. */
async function statuses(requests: readonly (readonly [method: string, path: string])[]): Promise<number[]> {
  const late = Bun.sleep(25_000).then(() => {
    throw new Error("A request hangs")
  })
  const answers = Promise.all(requests.map(([method, path]) => engine.call(method, path)))
  return (await Promise.race([answers, late])).map(({ status }) => status)
}

test("20 containers are created, started, waited for and removed at once", async () => {
  const lives = Array.from({ length: 20 }, async (_, index) => {
    const id = await run(`p${index}`, ["sh", "-c", `exit ${index}`])
    const { StatusCode } = await engine.must<{ StatusCode: number }>("POST", `/containers/${id}/wait`)
    await engine.must("DELETE", `/containers/${id}`)
    return StatusCode
  })
  expect(await Promise.all(lives)).toEqual(Array.from({ length: 20 }, (_, index) => index))
  await agree(engine)
}, 60_000)

test("what many clients do to one container at once has only Docker's outcomes", async () => {
  for (let round = 0; round < 3; round++) {
    await create("one", ["sleep", "60"], { StopSignal: "SIGKILL" })
    const kinds = [
      ["POST", "/containers/one/start"],
      ["POST", "/containers/one/stop?t=0"],
      ["POST", "/containers/one/kill"],
      ["POST", "/containers/one/restart?t=0"],
      ["POST", "/containers/one/pause"],
      ["POST", "/containers/one/unpause"],
      ["GET", "/containers/one/logs?stdout=1"],
      ["DELETE", round === 0 ? "/containers/one" : "/containers/one?force=1"],
    ] as const
    const all = Array.from({ length: 24 }, (_, index) => kinds[(index * 5 + round) % kinds.length]!)
    const seen = new Set(await statuses(all))
    expect([...seen].filter((status) => ![200, 204, 304, 404, 409].includes(status))).toEqual([])
    await engine.call("DELETE", "/containers/one?force=1")
    await agree(engine)
  }
}, 90_000)

test("a stop that waits and a restart and a removal beside it all come to an end", async () => {
  const id = await run("slow", ["sh", "-c", "trap : TERM; while :; do sleep 0.1; done"])
  const waits = engine.call("POST", `/containers/${id}/wait`)
  const seen = await statuses([
    ["POST", `/containers/${id}/stop?t=1`],
    ["POST", `/containers/${id}/restart?t=1`],
    ["POST", `/containers/${id}/stop?t=1`],
  ])
  expect(seen.filter((status) => ![204, 304].includes(status))).toEqual([])
  expect((await waits).json).toMatchObject({ StatusCode: 137 })
  const removed = await statuses([
    ["DELETE", `/containers/${id}?force=1`],
    ["DELETE", `/containers/${id}?force=1`],
    ["POST", `/containers/${id}/start`],
  ])
  expect(removed.filter((status) => ![204, 304, 404, 409].includes(status))).toEqual([])
  await engine.call("DELETE", `/containers/${id}?force=1`)
  await agree(engine)
}, 60_000)

test("a container is removed while execs run in it, and whoever waits is answered", async () => {
  const id = await run("host", ["sleep", "60"])
  const execs = Array.from({ length: 5 }, async () => {
    const { Id } = await engine.must<{ Id: string }>("POST", `/containers/${id}/exec`, {
      Cmd: ["sleep", "60"],
      AttachStdout: true,
    })
    // The stream ends with the exec.
    const answer = await engine.call("POST", `/exec/${Id}/start`, { Detach: false })
    return answer.status
  })
  const waits = (["not-running", "next-exit", "removed"] as const).map((condition) =>
    engine.call("POST", `/containers/${id}/wait?condition=${condition}`),
  )
  await Bun.sleep(300)
  await engine.must("DELETE", `/containers/${id}?force=1`)
  expect(await Promise.all(execs)).toEqual([200, 200, 200, 200, 200])
  for (const { json } of await Promise.all(waits)) expect(json).toMatchObject({ StatusCode: 137 })
  await agree(engine)
}, 60_000)

test("following the log of a container that has not started ends with its run, or its removal", async () => {
  const follow = (name: string): Promise<{ text: string }> =>
    engine.call("GET", `/containers/${name}/logs?stdout=1&follow=1`)
  await create("later", ["echo", "said"])
  const followed = follow("later")
  await Bun.sleep(50)
  await engine.must("POST", "/containers/later/start")
  expect((await followed).text).toContain("said")
  await engine.must("DELETE", "/containers/later")
  await create("never", ["echo", "said"])
  const unfollowed = follow("never")
  await Bun.sleep(50)
  await engine.must("DELETE", "/containers/never")
  expect((await unfollowed).text).toBe("")
  await agree(engine)
}, 30_000)

test("clients that vanish leave nothing open in the engine, and the container runs on", async () => {
  const id = await run("talker", ["sh", "-c", "while :; do echo line; sleep 0.01; done"])
  await Bun.sleep(200)
  const before = openFiles()
  for (let round = 0; round < 10; round++) {
    const gone = [
      `/containers/${id}/attach?stream=1&stdout=1&stderr=1&stdin=1`,
      `/containers/${id}/logs?stdout=1&follow=1`,
      `/containers/${id}/wait?condition=removed`,
      "/events",
    ].map((path) => vanish(path.startsWith("/events") || path.includes("/logs") ? "GET" : "POST", path))
    await Promise.all(gone)
  }
  await settles(
    () => openFiles() <= before + 3,
    () => `${before} files open before, ${openFiles()} after`,
  )
  const { State } = await engine.must<{ State: { Running: boolean } }>("GET", `/containers/${id}/json`)
  expect(State.Running).toBe(true)
  await engine.must("DELETE", `/containers/${id}?force=1`)
  await agree(engine)
}, 60_000)

test("the engine neither grows nor keeps files open over a thousand runs", async () => {
  const cycle = async (index: number): Promise<void> => {
    const id = await create(`c${index}`, ["true"], { AutoRemove: true })
    const gone = engine.call("POST", `/containers/${id}/wait?condition=removed`)
    await engine.must("POST", `/containers/${id}/start`)
    await gone
  }
  const half = async (from: number): Promise<void> => {
    let next = from
    const client = async (): Promise<void> => {
      while (next < from + 500) await cycle(next++)
    }
    await Promise.all([client(), client(), client(), client()])
    await agree(engine, 30_000)
  }
  const files = openFiles()
  await half(0)
  const first = resident()
  await half(500)
  const second = resident()
  console.log(`resident after 500 runs ${first} MB, after 1000 ${second} MB; files ${files}, then ${openFiles()}`)
  expect(second - first).toBeLessThan(40)
  expect(openFiles()).toBeLessThanOrEqual(files + 3)
}, 180_000)

/** Sends a request, reads a little of the answer, and is gone without a word. */
async function vanish(method: string, path: string): Promise<void> {
  const { promise: answered, resolve } = Promise.withResolvers<void>()
  const socket = await Bun.connect({ unix: engine.socket, socket: { data: () => resolve(), close: () => resolve() } })
  const upgrade = path.includes("/attach") ? "Upgrade: tcp\r\nConnection: Upgrade\r\n" : ""
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: dhow\r\n${upgrade}Content-Length: 0\r\n\r\n`)
  await Promise.race([answered, Bun.sleep(500)])
  socket.terminate()
}

function openFiles(): number {
  return readdirSync(`/proc/${engine.pid}/fd`).length
}

function resident(): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${engine.pid}/status`, "utf8")) ?? []
  return Math.round(Number(kilobytes) / 1024)
}

async function settles(holds: () => boolean, otherwise: () => string): Promise<void> {
  const deadline = Date.now() + 5000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(otherwise())
    await Bun.sleep(50)
  }
}

// The load: each client goes through lives of containers, with a random choice of what can be done to one. It stops where
// a life has ended, so that nothing is left of it then but what leaked.
import type { TestEngine } from "../../test/support/engine.ts"
import { readSome, upgrade } from "./client.ts"

export type Tally = { operations: number; lives: number; troubles: string[] }

const TROUBLES_KEPT = 50
const COMMANDS = [
  "while :; do echo tick; sleep 0.05; done",
  "yes | head -n 3000; sleep 60",
  "echo said; exit 3",
  "trap 'exit 7' TERM; while :; do sleep 0.05; done",
  "cat",
] as const

type Life = { readonly engine: TestEngine; readonly tally: Tally; readonly name: string }

const pick = <T>(of: readonly T[]): T => of[Math.floor(Math.random() * of.length)] as T
const chance = (share: number): boolean => Math.random() < share

/** Statuses that are no trouble: the container may have ended by itself, or be paused by the step before. */
const EXPECTED = new Set([200, 201, 204, 304, 404, 409])

async function call({ engine, tally }: Life, method: string, path: string, body?: unknown): Promise<unknown> {
  tally.operations++
  const { status, text, json } = await engine.call(method, path, body).catch((error: unknown) => {
    throw new Error(`${method} ${path}: ${error}`)
  })
  if (!EXPECTED.has(status)) trouble(tally, `${method} ${path}: ${status} ${text.slice(0, 200).trim()}`)
  return json
}

function trouble(tally: Tally, text: string): void {
  if (tally.troubles.length < TROUBLES_KEPT) tally.troubles.push(text)
}

/** What can be done to a container, each by its weight. */
const STEPS: readonly (readonly [weight: number, step: (life: Life) => Promise<unknown>])[] = [
  [6, exec],
  [3, (life) => exec(life, true)],
  [3, (life) => call(life, "GET", `/containers/${life.name}/logs?stdout=1&stderr=1&tail=50`)],
  [2, (life) => readSome(life.engine, `/containers/${life.name}/logs?stdout=1&follow=1`, pick([1, 400]), 300)],
  [3, (life) => call(life, "GET", `/containers/${life.name}/stats?stream=0&one-shot=1`)],
  [1, (life) => readSome(life.engine, `/containers/${life.name}/stats`, 1, 1500)],
  [2, attach],
  [1, (life) => call(life, "GET", `/containers/${life.name}/top`)],
  [1, pauseAndGoOn],
  [1, (life) => call(life, "POST", `/containers/${life.name}/restart?t=0`)],
  [1, (life) => call(life, "POST", `/containers/${life.name}/kill?signal=USR1`)],
  [1, (life) => call(life, "GET", `/containers/${life.name}/changes`)],
  [1, (life) => readSome(life.engine, `/containers/${life.name}/archive?path=/etc`, pick([100, 1_000_000]))],
  [1, (life) => call(life, "GET", "/containers/json?all=1&size=1")],
  [1, (life) => readSome(life.engine, "/events?since=1s", 1, 100)],
]
const STEP_TABLE = STEPS.flatMap(([weight, step]) => Array.from({ length: weight }, () => step))

async function exec(life: Life, leavesEarly = false): Promise<void> {
  const created = await call(life, "POST", `/containers/${life.name}/exec`, {
    Cmd: pick([["true"], ["sh", "-c", "echo out; echo err >&2; exit 3"], ["cat"], ["sleep", "1"]]),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: chance(0.3),
  })
  const { Id: id } = (created ?? {}) as { Id?: string }
  if (id === undefined) return
  life.tally.operations++
  if (chance(0.2)) return
  await upgrade(life.engine, `/exec/${id}/start`, {
    body: JSON.stringify({ Detach: chance(0.2) }),
    input: "some input\n",
    leaveAfter: leavesEarly ? 50 : 5000,
  })
  await call(life, "GET", `/exec/${id}/json`)
}

async function attach(life: Life): Promise<void> {
  life.tally.operations++
  const query = pick(["stream=1&stdout=1&stdin=1", "stream=1&stdout=1&stderr=1&logs=1", "logs=1&stdout=1"])
  const webSocket = chance(0.3)
  const path = `/containers/${life.name}/attach${webSocket ? "/ws" : ""}?${query}`
  await upgrade(life.engine, path, { leaveAfter: pick([20, 200]), webSocket })
}

async function pauseAndGoOn(life: Life): Promise<void> {
  await call(life, "POST", `/containers/${life.name}/pause`)
  await call(life, "GET", `/containers/${life.name}/json`)
  if (chance(0.9)) await call(life, "POST", `/containers/${life.name}/unpause`)
}

async function live(life: Life): Promise<void> {
  const { name, engine, tally } = life
  const goesAway = chance(0.3)
  await call(life, "POST", `/containers/create?name=${name}`, {
    Image: "bb",
    Cmd: ["sh", "-c", pick(COMMANDS)],
    OpenStdin: true,
    Tty: chance(0.2),
    Labels: { soak: name },
    Volumes: chance(0.3) ? { "/anonymous": {} } : undefined,
    Healthcheck: chance(0.2) ? { Test: ["CMD", "true"], Interval: 500_000_000 } : undefined,
    HostConfig: {
      NetworkMode: pick(["bridge", "bridge", "bridge", "none", "host"]),
      PortBindings: chance(0.3) ? { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } : undefined,
      AutoRemove: goesAway,
      Memory: chance(0.3) ? 64 * 1024 * 1024 : undefined,
      RestartPolicy: !goesAway && chance(0.15) ? { Name: "on-failure", MaximumRetryCount: 2 } : undefined,
    },
  })
  const waiting = engine.call("POST", `/containers/${name}/wait?condition=removed`)
  waiting.catch(() => undefined)
  await call(life, "POST", `/containers/${name}/start`)
  const steps = 2 + Math.floor(Math.random() * 6)
  for (let step = 0; step < steps; step++) await pick(STEP_TABLE)(life)
  if (chance(0.5)) await call(life, "POST", `/containers/${name}/${pick(["kill", "stop?t=0", "stop?t=1"])}`)
  tally.operations++
  const removed = await engine.call("DELETE", `/containers/${name}?force=1&v=1`)
  // By force everything is removed, unless it was already.
  if (![204, 404, 409].includes(removed.status) || (removed.status === 409 && !removed.text.includes("in progress")))
    throw new Error(`DELETE ${name}: ${removed.status} ${removed.text.trim()}`)
  // It answers when the container is gone, whoever removed it; and with 404 where that was before it was asked.
  await waiting
  tally.lives++
}

/** One client's lives, until `signal` says that the next one is not to begin. */
export async function client(engine: TestEngine, index: number, tally: Tally, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const life = { engine, tally, name: `soak-${index}-${turn}` }
    try {
      await live(life)
    } catch (error) {
      if (!engine.isRunning) throw new Error(`The engine is gone: ${engine.log().slice(-2000)}`)
      trouble(tally, `life of ${life.name}: ${error}`)
      await engine.call("DELETE", `/containers/${life.name}?force=1&v=1`)
    }
  }
}

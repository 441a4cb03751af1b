// npm run bench: every case on every engine, interleaved: each round takes one sample of each, in turning order, so that
// a machine that grows slower grows slower for all. Prints Markdown; progress goes to standard error.
import { OUTPUT } from "./cases/bytes.ts"
import type { Case, Session } from "./cases/case.ts"
import { CLIENT, PS } from "./cases/client.ts"
import { EXEC } from "./cases/exec.ts"
import { FILE_CASES } from "./cases/files.ts"
import { IMAGE_CASES } from "./cases/images.ts"
import { IDLE, MANY } from "./cases/many.ts"
import { MEMORY } from "./cases/memory.ts"
import { NETWORK } from "./cases/network.ts"
import { REGISTRY } from "./cases/registry.ts"
import { RUN_CASES } from "./cases/run.ts"
import { openDhow } from "./engines/dhow.ts"
import { openDocker } from "./engines/docker.ts"
import type { Engine } from "./engines/engine.ts"
import { type Floor, openFloor } from "./engines/floor.ts"
import { openPodman } from "./engines/podman.ts"
import { type Fixtures, makeFixtures } from "./fixtures.ts"
import { GOALS, judge } from "./goals.ts"
import { enter, isolatedDirectory, runIsolated } from "./isolate.ts"
import { describeMachine } from "./machine.ts"
import { type EngineName, type Options, parseOptions, USAGE } from "./options.ts"
import { resultName, Samples, table } from "./table.ts"

// Memory comes first: the daemon's idle size is that of a daemon that has done nothing yet.
const CASES: readonly Case[] = [
  MEMORY,
  ...RUN_CASES,
  EXEC,
  PS,
  CLIENT,
  MANY,
  OUTPUT,
  ...FILE_CASES,
  ...IMAGE_CASES,
  REGISTRY,
  NETWORK,
  IDLE,
]

const OPEN = { dhow: openDhow, docker: openDocker, podman: openPodman } as const satisfies Record<
  EngineName,
  (directory: string, fixtures: Fixtures) => Promise<Engine | undefined>
>

function say(text: string): void {
  console.error(`bench: ${text}`)
}

async function measureCase(
  one: Case,
  floor: Floor,
  context: { engines: readonly Engine[]; fixtures: Fixtures; rounds: number; samples: Samples },
): Promise<void> {
  const { engines, fixtures, samples } = context
  const sessions: { readonly name: string; readonly session: Session }[] = []
  const bare = one.floor?.(floor)
  if (bare !== undefined) sessions.push({ name: "floor", session: bare })
  for (const engine of engines) {
    try {
      const session = await one.open(engine, fixtures)
      if (session !== undefined) sessions.push({ name: engine.name, session })
    } catch (error) {
      say(`${one.name}: ${engine.name} cannot take part: ${error instanceof Error ? error.message : error}`)
    }
  }
  const rounds = one.rounds(context.rounds)
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < sessions.length; turn++) {
      const contestant = sessions[(round + turn) % sessions.length]
      if (contestant === undefined) continue
      try {
        const measured = await contestant.session.measure()
        for (const [key, value] of Object.entries(measured)) samples.add(contestant.name, resultName(one, key), value)
      } catch (error) {
        say(`${one.name}: ${contestant.name}: ${error instanceof Error ? error.message : error}`)
        process.exitCode = 1
      }
    }
  }
  for (const { session } of sessions) await session.close?.()
}

async function benchmark(directory: string, options: Options): Promise<void> {
  enter()
  const cases = CASES.filter(({ name }) => options.only.includes(name))
  const fixtures = await makeFixtures(directory)
  const engines: Engine[] = []
  const samples = new Samples()
  try {
    for (const name of options.engines) {
      const engine = await OPEN[name](directory, fixtures)
      if (engine === undefined) say(`${name} is not installed`)
      else engines.push(engine)
    }
    const floor = await openFloor(directory, fixtures)
    for (const one of cases) {
      say(one.name)
      await measureCase(one, floor, { engines, fixtures, rounds: options.rounds, samples })
    }
    const contestants = ["floor", ...engines.map(({ name }) => name)]
    print(["Median (minimum).", "", ...table(cases, contestants, samples), ""])
    print([...judge(GOALS, (contestant, result) => samples.summary(contestant, result)?.median), ""])
    print(describeMachine(directory, floor, engines))
    await floor.close()
  } finally {
    for (const engine of engines) await engine.close()
    await fixtures.close()
  }
}

function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line)
}

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    print([USAGE, `Cases: ${CASES.map(({ name }) => name).join(", ")}`])
    return 0
  }
  const options = parseOptions(
    process.argv.slice(2),
    CASES.map(({ name }) => name),
  )
  const directory = isolatedDirectory()
  if (directory !== undefined) {
    await benchmark(directory, options)
    return Number(process.exitCode ?? 0)
  }
  if (process.getuid?.() !== 0) throw new Error("The benchmark needs root: run it with sudo")
  return runIsolated()
}

try {
  process.exit(await main())
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

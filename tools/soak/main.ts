// npm run soak: hours of mixed load on an engine of its own, with what it holds printed every minute, and a verdict. The
// load is interrupted by rests: only an engine that nobody uses can be asked whether it still holds something.
import { busyboxTar, TestEngine } from "../../test/support/engine.ts"
import { agree } from "../../test/support/invariants.ts"
import { remains } from "../../test/support/kernel-objects.ts"
import { type Figures, readFigures } from "./figures.ts"
import { client, type Tally } from "./load.ts"
import { type Options, parseOptions, USAGE } from "./options.ts"
import { judge, mebibytes, type Rest } from "./verdict.ts"

/** A resting engine lets go of what it does not need after three seconds, and of connections after two. */
const REST_MS = 10_000
const MINUTE_MS = 60_000
const COMPLAINTS_SHOWN = 20

async function soak(options: Options): Promise<string[]> {
  const engine = new TestEngine()
  const tally: Tally = { operations: 0, lives: 0, troubles: [] }
  const rests: Rest[] = []
  const began = performance.now()
  const minute = (): number => (performance.now() - began) / MINUTE_MS
  let loaded = 0
  try {
    await engine.start()
    await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
    console.log(HEAD)
    while (loaded < options.minutes) {
      // The first stretch is the warm-up: what it leaves at rest is the measure of the others.
      const stretch = Math.min(rests.length === 0 ? Math.min(options.rest, 3) : options.rest, options.minutes - loaded)
      await underLoad(engine, { stretch, clients: options.clients, tally, minute })
      loaded += stretch
      await Bun.sleep(REST_MS)
      await agree(engine)
      const figures = readFigures(engine)
      rests.push({ minute: minute(), figures })
      console.log(row("rest", { minute: minute(), figures, tally }))
    }
    tally.troubles.push(...complaints(engine))
  } finally {
    await engine.destroy()
  }
  return [...judge(rests), ...tally.troubles, ...remains(engine).map((what) => `left behind: ${what}`)]
}

/** What the engine itself logged as an error, or as an answer that it broke off. */
function complaints(engine: TestEngine): string[] {
  const lines = engine.log().split("\n")
  const bad = lines.filter((line) => line.includes('"level":"error"') || line.includes("answer broken off"))
  return bad.slice(0, COMPLAINTS_SHOWN).map((line) => `the engine's log: ${line.slice(0, 400)}`)
}

async function underLoad(
  engine: TestEngine,
  load: { readonly stretch: number; readonly clients: number; readonly tally: Tally; readonly minute: () => number },
): Promise<void> {
  const { stretch, clients, tally, minute } = load
  const enough = new AbortController()
  const working = Promise.all(
    Array.from({ length: clients }, (_, index) => client(engine, index, tally, enough.signal)),
  )
  const until = performance.now() + stretch * MINUTE_MS
  while (performance.now() < until) {
    const next = Math.min(MINUTE_MS, until - performance.now())
    await Promise.race([Bun.sleep(next), working])
    console.log(row("load", { minute: minute(), figures: readFigures(engine), tally }))
  }
  enough.abort()
  await working
}

const COLUMNS: readonly (readonly [title: string, value: (figures: Figures) => string | number])[] = [
  ["MiB", ({ memory }) => mebibytes(memory)],
  ["fds", ({ descriptors }) => descriptors],
  ["threads", ({ threads }) => threads],
  ["procs", ({ processes }) => processes],
  ["conmon", ({ monitors }) => monitors],
  ["mounts", ({ mounts }) => mounts],
  ["cgroups", ({ cgroups }) => cgroups],
  ["netns", ({ namespaces }) => namespaces],
  ["veth", ({ interfaces }) => interfaces],
  ["rules", ({ rules }) => rules],
  ["state", ({ stateFiles }) => stateFiles],
  ["snaps", ({ snapshots }) => snapshots],
  ["vols", ({ volumes }) => volumes],
  ["db MiB", ({ database }) => mebibytes(database)],
]
const WIDTH = 8
const cells = (values: readonly (string | number)[]): string =>
  values.map((text) => String(text).padStart(WIDTH)).join("")
const HEAD = cells(["", "minute", "calls", "lives", "trouble", ...COLUMNS.map(([title]) => title)])

function row(kind: string, at: { readonly minute: number; readonly figures: Figures; readonly tally: Tally }): string {
  const { minute, figures, tally } = at
  const values = COLUMNS.map(([, value]) => value(figures))
  return cells([kind, minute.toFixed(1), tally.operations, tally.lives, tally.troubles.length, ...values])
}

if (process.argv.includes("--help")) {
  console.log(USAGE)
  process.exit(0)
}
if (process.getuid?.() !== 0) {
  console.error("The soak needs root")
  process.exit(2)
}
const found = await soak(parseOptions(process.argv.slice(2)))
console.log(found.length === 0 ? "\nNothing has grown." : `\nFAILED:\n${found.map((line) => `  ${line}`).join("\n")}`)
process.exit(found.length === 0 ? 0 : 1)

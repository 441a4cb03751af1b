// Images in and out of an engine: every sample with a layer that its store has never seen. Beside the time, the memory of
// the engine and whatever it starts meanwhile, and the disk that a loaded image takes, over the size of its unpacked tar.
import { rmSync } from "node:fs"
import { join } from "node:path"
import { diskUsage } from "../../src/lib/disk-usage.ts"
import { type Engine, processes } from "../engines/engine.ts"
import type { Fixtures } from "../fixtures.ts"
import { type Base, freshLayer, writeArchive, writeLayer } from "../images/layer.ts"
import { withPeak } from "../images/peak.ts"
import { run, time } from "../process.ts"
import type { Case, Result, Session } from "./case.ts"

const TITLES = {
  import: "`import` of a tarball",
  load: "`load` of an archive with gzip",
  save: "`save -o`",
  push: "`push` to a loopback registry",
  pull: "`pull` from a loopback registry",
} as const

type Step = keyof typeof TITLES

export const IMAGE_CASES: readonly Case[] = [
  imageCase("images-debian", "170 MB, 8,700 files", {
    base: (fixtures) => fixtures.debian(),
    rounds: (rounds) => Math.max(3, Math.ceil(rounds / 5)),
  }),
  imageCase("images-large", "1 GB, 40,000 files", {
    base: (fixtures) => fixtures.large(),
    rounds: (rounds) => Math.max(1, Math.ceil(rounds / 10)),
  }),
]

function imageCase(
  name: string,
  text: string,
  { base, rounds }: { readonly base: (fixtures: Fixtures) => Promise<Base>; readonly rounds: Case["rounds"] },
): Case {
  const results: Record<string, Result> = {}
  for (const [step, title] of Object.entries(TITLES)) {
    results[step] = { title: `${title}: ${text}`, unit: "time" }
    results[`${step}-memory`] = { title: "its peak of memory, helpers included", unit: "memory" }
  }
  results["disk"] = { title: `disk of the image over its unpacked tar: ${text}`, unit: "ratio" }
  return {
    name,
    results,
    rounds,
    open: async (engine, fixtures) => openSession(engine, fixtures, await base(fixtures)),
  }
}

async function openSession(engine: Engine, fixtures: Fixtures, base: Base): Promise<Session> {
  const { cli, registryOptions, storage } = engine
  const registry = await fixtures.registry()
  const name = "bench/fresh"
  const remote = registry === undefined ? undefined : `${registry.host}/${name}`
  const path = (file: string): string => join(fixtures.directory, `${engine.name}-${file}`)
  // Without a daemon it is the command itself that works.
  const workers = (): readonly number[] =>
    engine.daemons().length > 0 ? engine.daemons() : processes((_, line) => line.startsWith(engine.client))

  async function step(samples: Record<string, number>, what: Step, args: readonly string[]): Promise<void> {
    await stepAs(samples, what, [...cli, what, ...args])
  }

  async function stepAs(samples: Record<string, number>, what: Step, command: readonly string[]): Promise<void> {
    const [milliseconds, peak] = await withPeak(workers, () => time(command))
    samples[what] = milliseconds
    samples[`${what}-memory`] = peak
  }
  const remove = (reference: string): Promise<string> => run([...cli, "rmi", "-f", reference])

  return {
    async measure() {
      const samples: Record<string, number> = {}
      const tar = path("layer.tar")
      await writeLayer(await freshLayer(base), tar)
      await step(samples, "import", [tar, `${name}:1`])
      await remove(`${name}:1`)
      rmSync(tar)

      const layer = await freshLayer(base)
      const archive = path("archive.tar.gz")
      await writeArchive(layer, archive, `${remote ?? `docker.io/${name}`}:latest`)
      const before = await settledUsage(storage)
      if (engine.loadsGzip) await step(samples, "load", ["-i", archive])
      else await stepAs(samples, "load", ["sh", "-c", 'gzip -dc "$0" | "$@"', archive, ...cli, "load"])
      rmSync(archive)
      samples["disk"] = ((await settledUsage(storage)) - before) / layer.size

      const loaded = `${remote ?? `docker.io/${name}`}:latest`
      const saved = path("saved.tar")
      await step(samples, "save", ["-o", saved, loaded])
      rmSync(saved)
      if (remote !== undefined) await step(samples, "push", [...registryOptions, loaded])
      await remove(loaded)
      if (registry === undefined || remote === undefined) return samples

      registry.clear()
      await registry.publish(await freshLayer(base), name)
      await step(samples, "pull", [...registryOptions, loaded])
      await remove(loaded)
      registry.clear()
      return samples
    },
  }
}

/** What was removed may go behind the caller's back. */
async function settledUsage(directory: string): Promise<number> {
  for (let last = await diskUsage(directory); ; ) {
    await Bun.sleep(200)
    const now = await diskUsage(directory)
    if (now === last) return now
    last = now
  }
}

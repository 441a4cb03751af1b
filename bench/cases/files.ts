// Many small files written by a container, to a volume and to its own layer, beside the same program on the host: busybox's
// tar unpacks an archive that is in memory. It is an exec in a container that runs, for what an engine still does after a
// start is no part of this. Measured are the time by the clock, that until all of it is on the disk, and the processor
// time that the program and the kernel took for it, which a busy machine disturbs least.
import { mkdirSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { removeTree } from "../../src/lib/files.ts"
import { IMAGE } from "../engines/engine.ts"
import type { Fixtures } from "../fixtures.ts"
import { run } from "../process.ts"
import { all, type Case, once, type Samples, some } from "./case.ts"

/** $1 is the archive, $2 where to; the shell is busybox's, whose `time` writes to standard error. */
const SCRIPT = 'mkdir -p "$2" && cat "$1" >/dev/null && { time tar -xf "$1" -C "$2"; time sync -f "$2"; } 2>&1'

const TITLES = {
  volume: "to a volume",
  mapped: "to a volume with a map of ids",
  layer: "to its own layer",
} as const

/** The small ones for a busy machine: the shorter a sample, the less of what others do is in one and not in the next. */
export const FILE_CASES: readonly Case[] = [
  filesCase("files-10mb", "10 MB in 1,000 files", { archive: (fixtures) => fixtures.fewFiles(), rounds: all }),
  filesCase("files-100mb", "100 MB in 10,000 files", { archive: (fixtures) => fixtures.smallFiles(), rounds: some }),
  filesCase("files-1gb", "1 GB in 100,000 files", { archive: (fixtures) => fixtures.manyFiles(), rounds: once }),
]

function filesCase(
  name: string,
  text: string,
  { archive, rounds }: { readonly archive: (fixtures: Fixtures) => Promise<string>; readonly rounds: Case["rounds"] },
): Case {
  return {
    name,
    results: Object.fromEntries(
      Object.entries(TITLES).flatMap(([key, title]) => [
        [key, { title: `${text} ${title}`, unit: "time" }],
        [`${key}-disk`, { title: "until it is on the disk", unit: "time" }],
        [`${key}-cpu`, { title: "its processor time", unit: "time" }],
      ]),
    ),
    rounds,
    open: async ({ name: engine, cli, runOptions, removeOptions }, fixtures) => {
      const path = await archive(fixtures)
      const [container, volume, mapped] = ["files", "files-volume", "files-mapped"]
      const places = ["volume", "layer", ...(engine === "dhow" ? (["mapped"] as const) : [])] as const
      const flags = engine === "dhow" ? ["-v", `${mapped}:/mapped:map=0:0`] : []
      const mounts = ["-v", `${dirname(path)}:/from:ro`, "-v", `${volume}:/volume`, ...flags]
      await run([...cli, "run", "-d", "--name", container, ...runOptions, ...mounts, IMAGE, "sleep", "100000"])
      const exec = (...words: readonly string[]): Promise<string> => run([...cli, "exec", container, ...words])
      const write = async (place: string): Promise<Times> => {
        await settle(fixtures.directory)
        const times = timesIn(await exec("sh", "-c", SCRIPT, "sh", `/from/${basename(path)}`, `/${place}/files`))
        await exec("rm", "-rf", `/${place}/files`)
        return times
      }
      return {
        async measure() {
          let samples: Samples = {}
          for (const place of places) samples = { ...samples, ...named(place, await write(place)) }
          return samples
        },
        async close() {
          await run([...cli, "rm", "-f", ...removeOptions, container])
          await run([...cli, "volume", "rm", volume, ...(engine === "dhow" ? [mapped] : [])])
        },
      }
    },
    floor: ({ directory, fixtures }) => ({
      async measure() {
        const path = await archive(fixtures)
        const target = join(directory, "files")
        mkdirSync(target)
        await settle(directory)
        const times = timesIn(await run(["busybox", "sh", "-c", SCRIPT, "sh", path, target]))
        await removeTree(target)
        return { ...named("volume", times), ...named("mapped", times), ...named("layer", times) }
      },
    }),
  }
}

function named(key: keyof typeof TITLES, { clock, disk, cpu }: Times): Samples {
  return { [key]: clock, [`${key}-disk`]: disk, [`${key}-cpu`]: cpu }
}

/** What was written before is on the disk, and not still on its way. */
async function settle(directory: string): Promise<void> {
  await run(["sync", "--file-system", directory])
}

/** Milliseconds. */
type Times = { readonly clock: number; readonly disk: number; readonly cpu: number }

/** The shell tells of two programs, the one that writes and the one that waits for the disk. */
function timesIn(output: string): Times {
  const read = (name: string): readonly [number, number] => {
    const [one, two] = [...output.matchAll(new RegExp(`^${name}\\s+(\\d+)m\\s*([\\d.]+)s`, "gm"))].map(
      ([, minutes, seconds]) => (Number(minutes) * 60 + Number(seconds)) * 1000,
    )
    if (one === undefined || two === undefined) throw new Error(`The script wrote "${output.trim()}" and no times`)
    return [one, two]
  }
  const [clock, waited] = read("real")
  return { clock, disk: clock + waited, cpu: read("user")[0] + read("sys")[0] }
}

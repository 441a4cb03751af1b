// The fuzzer: archives with mutated headers through everything that reads a layer, the same ones for the same seed.
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describeError } from "../../src/lib/errors.ts"
import { removeTree } from "../../src/lib/files.ts"
import { describeTree } from "../snapshot/trees.ts"
import { IndexTarget } from "./index-target.ts"
import { mutate } from "./mutate.ts"
import { randomOf } from "./random.ts"
import { seeds } from "./seeds.ts"

export type FuzzOptions = {
  readonly seed: number
  /** Mutated headers through the readers and the index writer. */
  readonly headers: number
  /** Archives through the directory unpacker. */
  readonly unpacked: number
  /** One index of so many is mounted; 0 for none. */
  readonly mountOneOf: number
  readonly progress?: (line: string) => void
}

export type FuzzResult = {
  readonly archives: number
  readonly headers: number
  readonly indexed: number
  readonly refused: number
  readonly canMount: boolean
  readonly mounted: number
  readonly compared: number
  readonly unpackedHeaders: number
  readonly unpackRefused: number
  /** Largest resident size of this process, and of the unpacking ones. */
  readonly rss: number
  readonly unpackRss: number
  /** What must not be: each with the number that makes it again. */
  readonly findings: readonly string[]
}

const COMPARE_ONE_OF = 8
const BATCH = 250
const MAX_FINDINGS = 20
const OUTSIDE = "/fuzz-outside"

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const root = mkdtempSync(join(tmpdir(), "dhow-fuzz-"))
  try {
    const [index, unpack] = [await fuzzIndex(root, options), await fuzzUnpack(root, options)]
    return { ...index, ...unpack, findings: [...index.findings, ...unpack.findings] }
  } finally {
    await removeTree(root)
  }
}

type IndexResult = Omit<FuzzResult, "unpackedHeaders" | "unpackRefused" | "unpackRss">

async function fuzzIndex(root: string, { seed, headers, mountOneOf, progress }: FuzzOptions): Promise<IndexResult> {
  const archives = await seeds()
  const result = { archives: 0, headers: 0, indexed: 0, refused: 0, mounted: 0, compared: 0, rss: 0 }
  const findings: string[] = []
  using target = new IndexTarget(root)
  for (let serial = 0; result.headers < headers && findings.length < MAX_FINDINGS; serial++) {
    const random = randomOf(seed, serial)
    const made = mutate(random.pick(archives), random, OUTSIDE)
    result.archives++
    result.headers += made.headers
    try {
      const outcome = target.run(made.archive)
      result[outcome]++
      if (outcome === "indexed" && mountOneOf > 0 && result.indexed % mountOneOf === 0) {
        if (target.mount()) result.mounted++
      }
      if (serial % COMPARE_ONE_OF === 0) {
        await target.compareReaders(made.archive, 1 + random.below(3000))
        result.compared++
      }
    } catch (error) {
      findings.push(`seed ${seed}, archive ${serial}: ${describeError(error)}`)
    }
    if (serial % 20_000 === 0)
      progress?.(`${result.headers} headers, ${result.refused} of ${result.archives} archives refused`)
  }
  result.rss = process.resourceUsage().maxRSS * 1024
  return { ...result, canMount: target.canMount, findings }
}

type UnpackResult = Pick<FuzzResult, "unpackedHeaders" | "unpackRefused" | "unpackRss" | "findings">

/** In batches, each in a cage beside files that must stay as they are. */
async function fuzzUnpack(root: string, options: FuzzOptions): Promise<UnpackResult> {
  const { seed, unpacked, progress } = options
  const result = { unpackedHeaders: 0, unpackRefused: 0, unpackRss: 0 }
  const findings: string[] = []
  for (let from = 0; from < unpacked && findings.length < MAX_FINDINGS; from += BATCH) {
    const count = Math.min(BATCH, unpacked - from)
    const base = join(root, `batch-${from}`)
    const cage = join(base, "cage")
    const outside = join(base, "outside")
    for (const directory of [base, cage, outside, join(cage, "fuzz-outside")]) mkdirSync(directory)
    for (const place of [outside, join(cage, "fuzz-outside"), cage, base])
      writeFileSync(join(place, "file"), "untouched")
    const before = describeBut(base, cage)
    const child = Bun.spawnSync(
      [process.execPath, join(import.meta.dir, "cage.ts"), cage, outside, String(seed), String(from), String(count)],
      { stderr: "pipe" },
    )
    if (child.exitCode !== 0)
      findings.push(`seed ${seed}, archives from ${from}: ${child.stderr.toString().slice(-2000)}`)
    else {
      const said = JSON.parse(child.stdout.toString()) as {
        headers: number
        refused: number
        findings: string[]
        rss: number
      }
      result.unpackedHeaders += said.headers
      result.unpackRefused += said.refused
      result.unpackRss = Math.max(result.unpackRss, said.rss)
      findings.push(...said.findings.map((finding) => `seed ${seed}, unpacking archive ${finding}`))
    }
    if (describeBut(base, cage) !== before)
      findings.push(`seed ${seed}, archives from ${from}: something outside was touched`)
    await removeTree(base)
    progress?.(`${from + count} archives unpacked, ${result.unpackRefused} refused`)
  }
  return { ...result, findings }
}

/** Everything below `base` but the roots of the archives. */
function describeBut(base: string, cage: string): string {
  const outside = describeTree(join(base, "outside"))
  const inner = describeTree(join(cage, "fuzz-outside"))
  const strays = readdirSync(cage).filter((name) => !/^\d+$/.test(name))
  return JSON.stringify([[...outside], [...inner], strays.sort(), readdirSync(base).sort()])
}

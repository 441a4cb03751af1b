// The results as a Markdown table: median and minimum of each contestant, and how dhow's median compares.
import type { Case, Result } from "./cases/case.ts"
import { formatBytes, formatMilliseconds, ratio, type Summary, summarize } from "./stats.ts"

/** Samples by contestant and result. */
export class Samples {
  readonly #samples = new Map<string, number[]>()

  add(contestant: string, result: string, sample: number): void {
    const key = `${contestant} ${result}`
    const samples = this.#samples.get(key)
    if (samples === undefined) this.#samples.set(key, [sample])
    else samples.push(sample)
  }

  summary(contestant: string, result: string): Summary | undefined {
    const samples = this.#samples.get(`${contestant} ${result}`)
    return samples === undefined ? undefined : summarize(samples)
  }
}

/** A case of one result gives that its own name, one of several "case.result". */
export function resultName(one: Case, key: string): string {
  return one.name === key ? key : `${one.name}.${key}`
}

export function table(cases: readonly Case[], contestants: readonly string[], samples: Samples): string[] {
  const others = contestants.filter((name) => name !== "dhow")
  const compared = contestants.includes("dhow") ? others : []
  const head = [
    "case",
    ...contestants,
    ...compared.map((name) => (name === "floor" ? "dhow / floor" : `${name} / dhow`)),
  ]
  const rows = cases.flatMap((one) =>
    Object.entries(one.results).map(([key, result]) =>
      row(result, resultName(one, key), contestants, compared, samples),
    ),
  )
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "--:"))), ...rows.map(line)]
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`
}

const FORMATS = {
  time: formatMilliseconds,
  memory: formatBytes,
  ratio: (value: number) => value.toFixed(3),
} as const satisfies Record<Result["unit"], (value: number) => string>

function row(
  { title, unit }: Result,
  name: string,
  contestants: readonly string[],
  compared: readonly string[],
  samples: Samples,
): string[] {
  const format = FORMATS[unit]
  const own = samples.summary("dhow", name)
  const cells = contestants.map((contestant) => {
    const summary = samples.summary(contestant, name)
    if (summary === undefined) return "–"
    return summary.count === 1 ? format(summary.median) : `${format(summary.median)} (${format(summary.minimum)})`
  })
  const ratios = compared.map((contestant) => {
    const summary = samples.summary(contestant, name)
    if (own === undefined || summary === undefined) return "–"
    return contestant === "floor" ? ratio(own.median, summary.median) : ratio(summary.median, own.median)
  })
  return [title, ...cells, ...ratios]
}

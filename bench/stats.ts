// Numbers of a benchmark: on a shared machine the median says what is usual, the minimum what the program needs.

export type Summary = {
  readonly median: number
  readonly minimum: number
  readonly maximum: number
  readonly count: number
}

export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new Error("Cannot summarize no samples")
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const half = Math.floor(sorted.length / 2)
  const median = sorted.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2
  return { median, minimum: at(0), maximum: at(sorted.length - 1), count: sorted.length }
}

/** "3.2 ×", with two digits where it is below ten. */
export function ratio(value: number, base: number): string {
  const times = value / base
  return `${times < 10 ? times.toFixed(1) : times.toFixed(0)} ×`
}

/** Milliseconds for a person: "8.4 ms", "312 ms", "2.71 s". */
export function formatMilliseconds(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`
  return value < 100 ? `${value.toFixed(1)} ms` : `${value.toFixed(0)} ms`
}

/** Bytes for a person, in MiB. */
export function formatBytes(value: number): string {
  return `${(value / 1024 / 1024).toFixed(1)} MiB`
}

// How long a restart by policy is put off: twice as long each time, as Docker does.

const FIRST_MS = 100
const LONGEST_MS = 60_000
/** A run that lasted this long was a good one: the pauses begin anew. */
const GOOD_RUN_MS = 10_000

/** `before` is the last pause, 0 where there was none; `lasted` is how long the run went on that has just ended. */
export function nextPause(before: number, lasted: number): number {
  return before === 0 || lasted >= GOOD_RUN_MS ? FIRST_MS : Math.min(before * 2, LONGEST_MS)
}

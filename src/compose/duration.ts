// Durations as Go writes them: "1m30s", "1.5s", "250ms"; what the canonical form and its hash are made of.

const SECOND = 1e9

export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s"
  const sign = nanoseconds < 0 ? "-" : ""
  const rest = Math.abs(nanoseconds)
  if (rest < 1e3) return `${sign}${rest}ns`
  if (rest < 1e6) return `${sign}${trim(rest / 1e3)}µs`
  if (rest < SECOND) return `${sign}${trim(rest / 1e6)}ms`
  const hours = Math.floor(rest / (3600 * SECOND))
  const minutes = Math.floor(rest / (60 * SECOND)) % 60
  const seconds = trim((rest % (60 * SECOND)) / SECOND)
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`
}

function trim(value: number): string {
  return String(Number(value.toFixed(9)))
}

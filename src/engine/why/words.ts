// Figures as sentences have them.

/** "64MiB". */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value < 10 && unit > 0 ? Math.round(value * 10) / 10 : Math.round(value)}${units[unit]}`
}

/** As `--memory` takes it, rounded up to what a person would write. */
export function sizeFlag(bytes: number): string {
  const mebibytes = Math.ceil(bytes / 1024 ** 2)
  return mebibytes >= 10_240 ? `${Math.ceil(mebibytes / 1024)}g` : `${mebibytes}m`
}

/** "0.17 s", "3 min 20 s", "2 h 5 min" of nanoseconds. */
export function span(nanoseconds: number): string {
  const seconds = nanoseconds / 1e9
  if (seconds < 0.01) return "less than 0.01 s"
  if (seconds < 10) return `${Number(seconds.toFixed(2))} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export function times(count: number): string {
  return count === 1 ? "once" : `${count} times`
}

export function quoted(text: string, longest = 160): string {
  const line = text.trim()
  return `"${line.length > longest ? `${line.slice(0, longest)}…` : line}"`
}

/** One word for a shell. What a container wrote may be in it: nothing of it may be more than a word. */
export function word(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`
}

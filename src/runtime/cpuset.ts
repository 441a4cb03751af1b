// Lists of processors or memory nodes as cpuset(7) writes them: "0-3,7". Pure.

/** Members of one list; bounded, since a list comes from a user. */
const HIGHEST = 8192

export function parseNumberSet(text: string): ReadonlySet<number> | undefined {
  const found = new Set<number>()
  for (const part of text.split(",")) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim())
    if (match === null) return undefined
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])]
    if (first > last || last > HIGHEST) return undefined
    for (let number = first; number <= last; number++) found.add(number)
  }
  return found
}

/** Whether something is asked for that is not among what is available. */
export function outsideOf(asked: string, available: string): boolean | "malformed" {
  const wanted = parseNumberSet(asked)
  if (wanted === undefined) return "malformed"
  const there = parseNumberSet(available.trim())
  return there !== undefined && [...wanted].some((number) => !there.has(number))
}

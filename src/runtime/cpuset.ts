// Lists of processors or memory nodes as cpuset(7) writes them: "0-3,7". Pure.
import { DhowError } from "../lib/errors.ts"

/** Docker's bound; a list comes from a user. */
const HIGHEST = 8192

/** Throws with the words that Docker puts behind the name of the setting. */
export function parseNumberSet(text: string): ReadonlySet<number> {
  const found = new Set<number>()
  for (const part of text.split(",")) {
    const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(part)
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
    if (match === null || first > last) throw new DhowError("invalid", `invalid format: ${text}`)
    if (last > HIGHEST) throw new DhowError("invalid", `value of out range, maximum is ${HIGHEST}`)
    for (let number = first; number <= last; number++) found.add(number)
  }
  return found
}

/** Whether something is asked for that is not among what is available; where that is not known, nothing is. */
export function isOutside(asked: string, available: string): boolean {
  const wanted = parseNumberSet(asked)
  if (available === "") return false
  const there = parseNumberSet(available)
  return [...wanted].some((number) => !there.has(number))
}

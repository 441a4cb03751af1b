// WWW-Authenticate (RFC 9110, 11.6.1): the ways in which a registry wants to be shown who asks.

export type Challenge = {
  /** In lower case: "bearer", "basic". */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const LIMIT = 8192

/** What cannot be understood ends the list: the challenges before it still count. */
export function parseChallenges(text: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  const header = text.slice(0, LIMIT)
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(header)
    if (match === null) return undefined
    at = pattern.lastIndex
    return match[1] ?? match[0]
  }
  for (;;) {
    take(/[\s,]*/y)
    const word = take(TOKEN)
    if (word === undefined) return challenges
    const isParameter = take(/\s*=\s*/y) !== undefined
    if (!isParameter) {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} })
      continue
    }
    const value = header[at] === '"' ? take(QUOTED)?.replace(/\\(.)/g, "$1") : take(TOKEN)
    const current = challenges.at(-1)
    if (value === undefined || current === undefined) return challenges
    current.parameters[word.toLowerCase()] = value
  }
}

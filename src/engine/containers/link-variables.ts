// The environment variables of a link: where the child's ports are, what it is called, what it was given itself. Pure.

export type LinkedChild = {
  readonly address: string
  readonly environment: readonly string[]
  /** "80/tcp" */
  readonly ports: Readonly<Record<string, unknown>>
}

type Port = { readonly number: number; readonly protocol: string }

/** What an image's build sets, and says nothing about the container. */
const NOT_PASSED = new Set(["HOME", "PATH"])

/** `name` is "/parent/alias". */
export function linkVariables(name: string, { address, environment, ports }: LinkedChild): string[] {
  const alias = name
    .slice(name.lastIndexOf("/") + 1)
    .toUpperCase()
    .replaceAll("-", "_")
  const known = Object.keys(ports).flatMap(parsePort).sort(byPort)
  const at = ({ protocol, number }: Port): string => `${protocol}://${address}:${number}`
  const variables: string[] = []
  const [first] = known
  if (first !== undefined) variables.push(`${alias}_PORT=${at(first)}`)
  for (const port of known) {
    const prefix = prefixOf(alias, port)
    variables.push(`${prefix}=${at(port)}`, `${prefix}_ADDR=${address}`)
    variables.push(`${prefix}_PORT=${port.number}`, `${prefix}_PROTO=${port.protocol}`)
  }
  for (const [start, end] of rangesOf(known)) {
    const prefix = prefixOf(alias, start)
    variables.push(`${prefix}_START=${at(start)}`, `${prefix}_PORT_START=${start.number}`)
    variables.push(`${prefix}_END=${at(end)}`, `${prefix}_PORT_END=${end.number}`)
  }
  variables.push(`${alias}_NAME=${name}`)
  for (const entry of environment) {
    const equals = entry.indexOf("=")
    if (equals < 0 || NOT_PASSED.has(entry.slice(0, equals))) continue
    variables.push(`${alias}_ENV_${entry}`)
  }
  return variables
}

function parsePort(text: string): Port[] {
  const [, number = "", protocol = "tcp"] = /^(\d{1,5})(?:\/([a-z]+))?$/.exec(text) ?? []
  return number === "" ? [] : [{ number: Number(number), protocol }]
}

/** TCP before the others, which go by name. */
function byPort(a: Port, b: Port): number {
  if (a.protocol === b.protocol) return a.number - b.number
  if (a.protocol === "tcp") return -1
  if (b.protocol === "tcp") return 1
  return a.protocol < b.protocol ? -1 : 1
}

/** Ports of one protocol that follow one another, two at least. */
function rangesOf(ports: readonly Port[]): (readonly [Port, Port])[] {
  const ranges: (readonly [Port, Port])[] = []
  for (let start = 0; start < ports.length; ) {
    let end = start
    while (follows(ports[end + 1], ports[end])) end++
    if (end > start) ranges.push([ports[start]!, ports[end]!])
    start = end + 1
  }
  return ranges
}

function follows(next: Port | undefined, port: Port | undefined): boolean {
  return next !== undefined && next.protocol === port?.protocol && next.number === port.number + 1
}

function prefixOf(alias: string, { number, protocol }: Port): string {
  return `${alias}_PORT_${number}_${protocol.toUpperCase()}`
}

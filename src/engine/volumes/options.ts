// What may be said of a volume at create, checked with Docker's rules and words.
import { DhowError } from "../../lib/errors.ts"
import { parseBytes } from "../../lib/size.ts"

export type VolumeOptions = {
  readonly driver?: string
  readonly options?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
/** Of a name of a file. */
const LONGEST = 255
const KNOWN: ReadonlySet<string> = new Set(["type", "o", "device", "size"])
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  device: ["type"],
  type: ["device"],
  o: ["device", "type"],
}

export function checkName(name: string, verb = "create"): void {
  if (name.length === 1)
    throw invalid(`${verb} ${name}: volume name is too short, names should be at least two alphanumeric characters`)
  if (!NAME.test(name) || name.length > LONGEST)
    throw invalid(
      `${verb} ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
}

export function checkDriver(driver: string | undefined): void {
  if (driver === undefined || driver === "" || driver === "local") return
  throw new DhowError("not-found", `error looking up volume plugin ${driver}: plugin "${driver}" not found`)
}

/** Returns how many bytes the volume may hold; undefined where that is not limited. */
export function checkOptions(name: string, options: Readonly<Record<string, string>>): number | undefined {
  const refuse = (why: string): DhowError => invalid(`create ${name}: ${why}`)
  for (const option of Object.keys(options))
    if (!KNOWN.has(option)) throw refuse(`invalid option: ${JSON.stringify(option)}`)
  if (options["type"] === "cifs" && /^\/\/[^/]*:\d+(?:\/|$)/.test(options["device"] ?? ""))
    throw refuse("port not allowed in CIFS device URL, include 'port' in 'o='")
  const bytes = sizeOf(options, refuse)
  for (const [option, others] of Object.entries(TOGETHER))
    for (const other of others)
      if (Object.hasOwn(options, option) && !Object.hasOwn(options, other))
        throw refuse(`missing required option: ${JSON.stringify(other)}`)
  if (bytes !== undefined && (options["type"] || options["device"]))
    throw refuse(`"size" limits files of the engine, and those of ${JSON.stringify(options["device"])} are not`)
  for (const value of Object.values(options)) if (value.includes("\0")) throw refuse("an option cannot hold a NUL byte")
  return bytes
}

function sizeOf({ size }: Readonly<Record<string, string>>, refuse: (why: string) => DhowError): number | undefined {
  if (size === undefined) return undefined
  try {
    const bytes = parseBytes(size)
    return bytes === 0 ? undefined : bytes
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error))
  }
}

function invalid(message: string): DhowError {
  return new DhowError("invalid", message)
}

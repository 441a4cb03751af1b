// The CDI devices of this host, read from the directories of specifications whenever they are asked for: a driver may
// have been installed a moment ago. Of two directories the later one counts; within one, the same device twice is nobody's.
import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { DhowError, describeError, errnoName } from "../../lib/errors.ts"
import { type CdiSpec, type Edits, parseCdiSpec } from "./spec-file.ts"

const FILE_LIMIT = 8 * 1024 * 1024

export type CdiDevice = { readonly name: string; readonly spec: CdiSpec; readonly edits: Edits }

export type CdiDevices = {
  /** By qualified name, "vendor.com/class=name". */
  readonly devices: ReadonlyMap<string, CdiDevice>
  /** A sentence for each file that could not be used, and for each device that is there twice. */
  readonly problems: readonly string[]
}

export function readCdiDevices(directories: readonly string[]): CdiDevices {
  const devices = new Map<string, CdiDevice>()
  const problems: string[] = []
  for (const directory of directories) {
    const here = new Map<string, string>()
    for (const file of specFiles(directory)) {
      let spec: CdiSpec
      try {
        spec = readSpec(file)
      } catch (error) {
        problems.push(`${file}: ${describeError(error)}`)
        continue
      }
      for (const [device, edits] of spec.devices) {
        const name = `${spec.kind}=${device}`
        const before = here.get(name)
        if (before !== undefined) {
          problems.push(`conflicting device "${name}": it is in ${before} and in ${file}`)
          devices.delete(name)
          continue
        }
        here.set(name, file)
        devices.set(name, { name, spec, edits })
      }
    }
  }
  return { devices, problems }
}

function specFiles(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => /\.(?:json|ya?ml)$/.test(name) && !name.startsWith("."))
    return names.sort().map((name) => join(directory, name))
  } catch (error) {
    if (errnoName(error) === "ENOENT") return []
    throw new DhowError("internal", `Cannot read the CDI directory "${directory}"`, { cause: error })
  }
}

function readSpec(file: string): CdiSpec {
  const fd = openSync(file, "r")
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new DhowError("invalid", "It is no file")
    if (stats.size > FILE_LIMIT) throw new DhowError("invalid", `It is larger than ${FILE_LIMIT} bytes`)
    const text = readFileSync(fd, "utf8")
    return parseCdiSpec(file.endsWith(".json") ? JSON.parse(text) : Bun.YAML.parse(text))
  } finally {
    closeSync(fd)
  }
}

// Output of the inspect commands: indented JSON with the daemon's own numbers and order, or a template for each object.
import { DhowError } from "../../lib/errors.ts"
import { fromJson, indentJson, toJson } from "../../lib/exact-json.ts"
import { compileTemplate } from "../../lib/template/evaluate.ts"
import type { Value } from "../../lib/template/nodes.ts"
import { printFailure } from "../failure.ts"
import { writeAll } from "../output.ts"

/** Shows what `fetch` finds for each name; names that are not found are reported after the others. */
export async function showObjects(
  names: readonly string[],
  format: string | undefined,
  fetch: (name: string) => Promise<string>,
): Promise<number> {
  const show = format === undefined || format === "" || format === "json" ? undefined : templateOf(format)
  const outcomes = await Promise.all(
    names.map((name) =>
      fetch(name).then(
        (text) => ({ text }),
        (error: unknown) => ({ error }),
      ),
    ),
  )
  const texts: string[] = []
  const errors: unknown[] = []
  for (const outcome of outcomes) {
    if ("error" in outcome) errors.push(outcome.error)
    else if (show === undefined) texts.push(outcome.text.trim())
    else
      try {
        texts.push(`${show(fromJson(outcome.text) as Value)}\n`)
      } catch (error) {
        errors.push(error)
      }
  }
  if (show !== undefined) writeAll(1, texts.length === 0 ? "\n" : texts.join(""))
  else if (format === "json") writeAll(1, `${toJson(fromJson(`[${texts.join(",")}]`))}\n`)
  else writeAll(1, texts.length === 0 ? "[]\n" : `${indentJson(`[${texts.join(",")}]`, "    ")}\n`)
  for (const error of errors) printFailure(error)
  return errors.length === 0 ? 0 : 1
}

/** Fields that the daemon leaves out when they are empty: a template may ask for them. */
const OPTIONAL = new Set(
  (
    "Health Healthcheck SizeRw SizeRootFs ImageManifestDescriptor StopSignal StopTimeout Shell OnBuild Init Annotations " +
    "Mounts Runtime Tmpfs Sysctls StorageOpt Variant OsVersion Descriptor Identity ExposedPorts Labels Volumes Entrypoint " +
    "ArgsEscaped NetworkDisabled MacAddress DNSNames GwPriority IPAMConfig Links Aliases DriverOpts UsageData Options " +
    "Emulated Manifests CreatedAt Status Name Driver Error Cmd Env User WorkingDir Domainname Healthcheck Parent Comment Author DockerVersion " +
    "BindOptions VolumeOptions TmpfsOptions ImageOptions ReadOnly Source Consistency HostIp HostPort"
  ).split(" "),
)

const LISTS = new Set(
  (
    "Entrypoint Cmd Env OnBuild Shell Binds CapAdd CapDrop Dns DnsOptions DnsSearch ExtraHosts GroupAdd Links VolumesFrom " +
    "SecurityOpt MaskedPaths ReadonlyPaths Devices DeviceCgroupRules DeviceRequests Ulimits BlkioWeightDevice ExecIDs " +
    "BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps Aliases DNSNames RepoTags RepoDigests"
  ).split(" "),
)
const MAPS = new Set("Labels ExposedPorts Volumes PortBindings StorageOpt Tmpfs Sysctls DriverOpts Options".split(" "))

/** Told apart from empty ones of the daemon's by being these very objects: JSON shows them as the null they were. */
const NO_LIST: Value = []
const NO_MAP: Value = {}

function nullField(name: string): Value {
  return LISTS.has(name) ? NO_LIST : MAPS.has(name) ? NO_MAP : null
}

function json(value: Value): string {
  return value === NO_LIST || value === NO_MAP ? "null" : toJson(value)
}

export function templateOf(format: string): (data: Value) => string {
  try {
    return compileTemplate(format, { missing, nullField, functions: { json } })
  } catch (error) {
    if (error instanceof DhowError) throw new DhowError("invalid", error.message, { exitCode: 64 })
    throw error
  }
}

function missing(name: string): Value {
  if (OPTIONAL.has(name)) return null
  throw new DhowError(
    "invalid",
    `template parsing error: template: :1: map has no entry for key ${JSON.stringify(name)}`,
  )
}

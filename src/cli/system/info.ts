// dhow info: what the daemon found on its host, and how it is configured.
import { type JsonObject, serverInfo } from "../../client/system.ts"
import { toJson } from "../../lib/exact-json.ts"
import type { Value } from "../../lib/template/nodes.ts"
import { VERSION } from "../../lib/version.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { print, printError } from "../output.ts"
import { binarySize } from "../render/human.ts"

export const info = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show the daemon's configuration and host",
  flags: { format: string("f", "Print with a Go template, or 'json'") } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const server = await serverInfo(client)
    if (flags.format === undefined || flags.format === "") printInfo(server)
    else if (flags.format === "json") print(toJson(server))
    else {
      const { compileTemplate } = await import("../../lib/template/evaluate.ts")
      print(compileTemplate(flags.format)(server as Value))
    }
    return 0
  },
})

const LINES: readonly (readonly [label: string, field: string])[] = [
  ["Images", "Images"],
  ["Server Version", "ServerVersion"],
  ["Storage Driver", "Driver"],
  ["Logging Driver", "LoggingDriver"],
  ["Cgroup Driver", "CgroupDriver"],
  ["Cgroup Version", "CgroupVersion"],
  ["Default Runtime", "DefaultRuntime"],
  ["Init Binary", "InitBinary"],
  ["Kernel Version", "KernelVersion"],
  ["Operating System", "OperatingSystem"],
  ["OSType", "OSType"],
  ["Architecture", "Architecture"],
  ["CPUs", "NCPU"],
  ["Name", "Name"],
  ["ID", "ID"],
  ["Root Dir", "DockerRootDir"],
]

function printInfo(server: JsonObject): void {
  print(`Client:\n Version: ${VERSION}\n\nServer:\n Containers: ${server["Containers"]}`)
  for (const state of ["Running", "Paused", "Stopped"]) print(`  ${state}: ${server[`Containers${state}`]}`)
  for (const [label, field] of LINES) {
    const value = server[field]
    if (value !== undefined && value !== "") print(` ${label}: ${String(value)}`)
    if (field === "Driver")
      for (const [name, text] of (server["DriverStatus"] ?? []) as [string, string][]) print(`  ${name}: ${text}`)
    if (field === "CgroupVersion") printPlugins(server)
    if (field === "InitBinary") printDevices(server)
  }
  if (typeof server["MemTotal"] === "number") print(` Total Memory: ${binarySize(server["MemTotal"])}`)
  const security = (server["SecurityOptions"] ?? []) as string[]
  if (security.length > 0) print(` Security Options:\n${security.map((option) => `  ${option}`).join("\n")}`)
  const labels = (server["Labels"] ?? []) as string[]
  if (labels.length > 0) print(` Labels:\n${labels.map((label) => `  ${label}`).join("\n")}`)
  printRegistries(server)
  for (const warning of (server["Warnings"] ?? []) as string[]) printError(warning)
}

function printDevices(server: JsonObject): void {
  printList("CDI spec directories", (server["CDISpecDirs"] ?? []) as string[])
  const devices = (server["DiscoveredDevices"] ?? []) as { readonly Source: string; readonly ID: string }[]
  printList(
    "Discovered Devices",
    devices.map(({ Source, ID }) => `${Source}: ${ID}`),
  )
}

type Registries = {
  readonly InsecureRegistryCIDRs?: readonly string[]
  readonly IndexConfigs?: Readonly<Record<string, { readonly Name: string; readonly Secure: boolean }>>
  readonly Mirrors?: readonly string[] | null
}

function printRegistries(server: JsonObject): void {
  for (const [label, field] of [
    ["HTTP Proxy", "HttpProxy"],
    ["HTTPS Proxy", "HttpsProxy"],
    ["No Proxy", "NoProxy"],
  ] as const)
    if (server[field]) print(` ${label}: ${server[field]}`)
  const { InsecureRegistryCIDRs = [], IndexConfigs = {}, Mirrors } = (server["RegistryConfig"] ?? {}) as Registries
  const insecure = Object.values(IndexConfigs).flatMap(({ Name, Secure }) => (Secure ? [] : Name))
  printList("Insecure Registries", [...insecure, ...InsecureRegistryCIDRs])
  printList("Registry Mirrors", Mirrors ?? [])
}

function printList(label: string, values: readonly string[]): void {
  if (values.length > 0) print(` ${label}:\n${values.map((value) => `  ${value}`).join("\n")}`)
}

function printPlugins(server: JsonObject): void {
  const plugins = (server["Plugins"] ?? {}) as Record<string, string[] | null>
  print(" Plugins:")
  for (const kind of ["Volume", "Network", "Log"]) print(`  ${kind}: ${(plugins[kind] ?? []).join(" ")}`)
  const runtimes = Object.keys((server["Runtimes"] ?? {}) as object).sort()
  print(` Runtimes: ${runtimes.join(" ")}`)
}

// dhow version: the versions of this program and of the daemon it speaks to.
import { type JsonObject, serverVersion } from "../../client/system.ts"
import { toJson } from "../../lib/exact-json.ts"
import type { Value } from "../../lib/template/nodes.ts"
import { COMMIT, VERSION } from "../../lib/version.ts"
import { hostPlatform } from "../../oci/platform.ts"
import { defineCommand } from "../command.ts"
import { printFailure } from "../failure.ts"
import { string } from "../flags/flags.ts"
import { print } from "../output.ts"

export const version = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show the versions of client and daemon",
  flags: { format: string("f", "Print with a Go template, or 'json'") } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const { os, architecture } = hostPlatform()
    let server: JsonObject | null = null
    let failure: unknown
    try {
      server = await serverVersion(client)
    } catch (error) {
      failure = error
    }
    const own = {
      Version: VERSION,
      ApiVersion: server?.["ApiVersion"] ?? "",
      GitCommit: COMMIT,
      Os: os,
      Arch: architecture,
    }
    if (flags.format === undefined || flags.format === "") printVersions(own, server)
    else if (flags.format === "json") print(toJson({ Client: own, Server: server }))
    else {
      const { compileTemplate } = await import("../../lib/template/evaluate.ts")
      const aliases = server === null ? null : { ...server, APIVersion: server["ApiVersion"] ?? "" }
      const clientAliases = { ...own, APIVersion: own.ApiVersion }
      print(compileTemplate(flags.format)({ Client: clientAliases, Server: aliases } as unknown as Value))
    }
    if (failure === undefined) return 0
    printFailure(failure)
    return 1
  },
})

function printVersions(own: JsonObject, server: JsonObject | null): void {
  const line = (label: string, value: unknown): void => print(`${` ${label}:`.padEnd(20)}${value}`)
  print("Client:")
  line("Version", own["Version"])
  line("API version", own["ApiVersion"])
  line("Git commit", own["GitCommit"])
  line("OS/Arch", `${own["Os"]}/${own["Arch"]}`)
  if (server === null) return
  const platform = server["Platform"] as { Name?: string } | undefined
  print(`\nServer:${platform?.Name ? ` ${platform.Name}` : ""}`)
  line("Version", server["Version"])
  line("API version", `${server["ApiVersion"]} (minimum version ${server["MinAPIVersion"]})`)
  line("Git commit", server["GitCommit"])
  line("OS/Arch", `${server["Os"]}/${server["Arch"]}`)
  line("Kernel", server["KernelVersion"])
  const components = (server["Components"] ?? []) as { Name: string; Version: string }[]
  for (const component of components) if (component.Name !== "Engine") line(component.Name, component.Version)
}

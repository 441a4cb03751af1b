// What an exec's process is: its container's, but for what the exec says.
import { execProcess } from "../../runtime/process.ts"
import { resolveUser } from "../../runtime/user.ts"
import type { ExecConfig } from "../../wire/container.ts"
import { linkedEnvironment } from "../containers/links.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { containerPaths } from "../containers/paths.ts"
import type { ContainerRecord } from "../containers/record.ts"

/** As `runtime exec --process` reads it. */
export function processText(parts: ContainerParts, record: ContainerRecord, config: ExecConfig): string {
  const { rootfs } = containerPaths(parts.config, record.id)
  const process = execProcess({
    exec: config,
    config: record.config,
    hostConfig: record.hostConfig,
    hostname: record.config.Hostname ?? "",
    linked: linkedEnvironment(parts, record),
    user: resolveUser(rootfs, config.User || record.config.User || "", record.hostConfig.GroupAdd ?? []),
    host: parts.host,
  })
  return JSON.stringify(process)
}

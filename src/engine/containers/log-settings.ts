// Where a container's log goes and how it is bounded, from its own options and the daemon's.
import type { LogRotation } from "../../supervisor/contract.ts"
import { parseLogSize } from "./host-config.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

/** In the form the supervisor takes it, at launch and at adoption. */
export function logOf(
  parts: Pick<ContainerParts, "config">,
  { id, hostConfig }: ContainerRecord,
): { readonly logPath: string | undefined; readonly logRotation?: LogRotation } {
  if (hostConfig.LogConfig?.Type === "none") return { logPath: undefined }
  const options = hostConfig.LogConfig?.Config ?? {}
  const { maxSize, maxFile } = parts.config.logOptions
  return {
    logPath: containerPaths(parts.config, id).log,
    logRotation: {
      maxSize: options["max-size"] === undefined ? maxSize : parseLogSize(options["max-size"]),
      maxFile: options["max-file"] === undefined ? maxFile : Number(options["max-file"]),
      compress: options["compress"] !== "false",
    },
  }
}

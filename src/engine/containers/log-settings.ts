// Where a container's log goes and how it is bounded, from its own options. Whatever the driver, conmon writes the engine's
// file: `logs` reads that one, and drivers are fed from it.
import type { Config } from "../../config.ts"
import type { LogRotation } from "../../supervisor/contract.ts"
import type { HostConfig, LogConfig } from "../../wire/container.ts"
import { DEFAULT_DRIVER, DEFAULT_LIMITS, type LogDefaults, SHOWN_DEFAULT } from "../logging/options.ts"
import { parseBool, parseHumanSize, parseInteger } from "../logging/values.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

export function logDefaults({ logDriver, logOptions }: Pick<Config, "logDriver" | "logOptions">): LogDefaults {
  return { driver: logDriver ?? DEFAULT_DRIVER, options: logOptions }
}

/** As `inspect` shows it. */
export function shownLogConfig({ LogConfig = {} }: HostConfig): LogConfig {
  return LogConfig.Type === DEFAULT_DRIVER ? { ...LogConfig, Type: SHOWN_DEFAULT } : LogConfig
}

/** In the form the supervisor takes it, at launch and at adoption. */
export function logOf(
  parts: Pick<ContainerParts, "config" | "forwarders">,
  { id, hostConfig }: ContainerRecord,
): { readonly logPath: string | undefined; readonly logRotation?: LogRotation } {
  if (hostConfig.LogConfig?.Type === "none") return { logPath: undefined }
  return {
    logPath: containerPaths(parts.config, id).log,
    logRotation: {
      ...rotationOf(hostConfig.LogConfig ?? {}),
      ...(hostConfig.LogConfig?.Config?.["mode"] === "blocking"
        ? { neededFrom: () => parts.forwarders.needs(id) }
        : {}),
    },
  }
}

/** Docker's for its cache of what goes elsewhere. */
const CACHE_LIMITS = { maxSize: 20_000_000, maxFile: 5 }

function rotationOf({ Type: type = DEFAULT_DRIVER, Config }: LogConfig): LogRotation {
  const options = Config ?? {}
  const isFile = [DEFAULT_DRIVER, "json-file", "local"].includes(type)
  const value = (name: string): string | undefined => options[isFile ? name : `cache-${name}`]
  const limits = isFile ? DEFAULT_LIMITS : CACHE_LIMITS
  const size = value("max-size")
  const count = value("max-file")
  return {
    maxSize: size === undefined ? limits.maxSize : parseHumanSize(size),
    maxFile: count === undefined ? limits.maxFile : parseInteger(count),
    compress: parseBool(value("compress") ?? "true"),
  }
}

// The drivers that send what a container writes elsewhere. Each is loaded when a container first wants it.
import type { LogDriver } from "./driver.ts"
import type { LogInfo } from "./info.ts"

export const FED_DRIVERS: ReadonlySet<string> = new Set(["json-file", "syslog", "gelf", "fluentd", "journald"])

export async function openDriver(type: string, info: LogInfo, jsonLog: string): Promise<LogDriver> {
  switch (type) {
    case "json-file": {
      const { JsonFile } = await import("./json-file.ts")
      return new JsonFile(jsonLog, info)
    }
    case "syslog": {
      const { Syslog } = await import("./syslog.ts")
      return new Syslog(info)
    }
    case "gelf": {
      const { Gelf } = await import("./gelf.ts")
      return new Gelf(info)
    }
    case "fluentd": {
      const { Fluentd } = await import("./fluentd.ts")
      return new Fluentd(info)
    }
    case "journald": {
      const { Journald } = await import("./journald.ts")
      return new Journald(info)
    }
    default:
      throw new RangeError(`Log driver "${type}" is not fed`)
  }
}

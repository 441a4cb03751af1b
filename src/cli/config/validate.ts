// dhow config validate: whether a file can be meant, without a daemon: that is when one wants to know.
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { print, printError } from "../output.ts"

export const validate = defineCommand({
  usage: "[FILE]",
  summary: "Check a configuration file (default /etc/dhow/daemon.json)",
  flags: {} as const,
  args: [0, 1],
  examples: ["dhow config validate", "dhow config validate ./daemon.json"],
  async run(_context, _flags, [file = "/etc/dhow/daemon.json"]) {
    const { existsSync } = await import("node:fs")
    if (!existsSync(file)) throw new DhowError("not-found", `Configuration file "${file}" does not exist`)
    const { gather, sourcesOf } = await import("../../settings/sources.ts")
    const { buildPlaced } = await import("../../settings/load.ts")
    const sources = sourcesOf(["--config-file", file, "--docker-config-file", ""], {})
    const { settings, passedOver } = gather(sources)
    buildPlaced(settings, sources)
    for (const { key, line, reason } of passedOver) printError(`${file}:${line}: "${key}" has no effect: ${reason}`)
    print("configuration OK")
    return 0
  },
})

// The subcommands of `compose`, as data; loading one evaluates its file and no other.
import type { AnyCommand, CommandEntry } from "../command.ts"

const entry = (summary: string, load: () => Promise<AnyCommand>): CommandEntry => ({ summary, load })

export const composeCommands: Readonly<Record<string, CommandEntry>> = {
  config: entry("Show the project in canonical form", async () => (await import("./config.ts")).config),
  version: entry("Show the version", async () => (await import("./version.ts")).version),
}

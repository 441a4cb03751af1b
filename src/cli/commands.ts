// All commands, as data: what the help lists, and where each one is. Loading one evaluates its file and no other.
import type { CommandEntry } from "./command.ts"

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: {
    summary: "Create and run a new container",
    group: "common",
    load: async () => (await import("./container/run.ts")).run,
  },
  ps: { summary: "List containers", group: "common", load: async () => (await import("./container/ps.ts")).ps },
  pull: { summary: "Download an image", group: "common", load: async () => (await import("./image/pull.ts")).pull },
  images: { summary: "List images", group: "common", load: async () => (await import("./image/list.ts")).images },
  rm: { summary: "Remove containers", load: async () => (await import("./container/rm.ts")).rm },
}

// dhow registry stop: ends serving on an address. What was pushed stays.
import { closeRegistry, registryStatus } from "../../client/registry-server.ts"
import { defineCommand } from "../command.ts"
import { boolean } from "../flags/flags.ts"
import { UsageError } from "../flags/parse.ts"
import { print } from "../output.ts"

export const stop = defineCommand({
  usage: "[OPTIONS] [ADDRESS...]",
  summary: "Stop serving the registry; what is in it stays",
  flags: { all: boolean("a", "On every address") } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow registry stop 127.0.0.1:5000", "dhow registry stop --all"],
  async run({ client }, flags, args) {
    if ((flags.all === true) === args.length > 0) throw new UsageError("Name an address, or --all")
    const all = flags.all === true ? (await registryStatus(client)).listeners.map(({ address }) => address) : args
    for (const address of all) {
      await closeRegistry(client, address)
      print(address)
    }
    return 0
  },
})

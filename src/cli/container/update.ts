// dhow update: new limits for containers, running ones too.
import { updateContainer } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import type { Resources, RestartPolicy } from "../../wire/container.ts"
import { defineCommand } from "../command.ts"
import { containerFlags } from "../create/flags.ts"
import { parseRestartPolicy } from "../create/policies.ts"
import { string } from "../flags/flags.ts"
import { parseBytes, parseCpus, parseMemorySwap } from "../flags/size.ts"
import { printError } from "../output.ts"
import { forEachName } from "../sequence.ts"

const flags = {
  "blkio-weight": containerFlags["blkio-weight"],
  "cpu-period": containerFlags["cpu-period"],
  "cpu-quota": containerFlags["cpu-quota"],
  "cpu-rt-period": containerFlags["cpu-rt-period"],
  "cpu-rt-runtime": containerFlags["cpu-rt-runtime"],
  "cpu-shares": containerFlags["cpu-shares"],
  cpus: containerFlags.cpus,
  "cpuset-cpus": containerFlags["cpuset-cpus"],
  "cpuset-mems": containerFlags["cpuset-mems"],
  memory: containerFlags.memory,
  "memory-reservation": containerFlags["memory-reservation"],
  "memory-swap": containerFlags["memory-swap"],
  "pids-limit": containerFlags["pids-limit"],
  restart: string("", "Restart policy when the container exits"),
} as const

export const update = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Change the limits of one or more containers",
  flags,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow update --memory 1g --memory-swap 2g web", "dhow update --restart always web"],
  async run({ client }, flags, names) {
    const changes: Resources & { RestartPolicy?: RestartPolicy } = {}
    const set = <Name extends keyof Resources>(name: Name, value: Resources[Name] | undefined): void => {
      if (value !== undefined) changes[name] = value as Resources[Name]
    }
    set("BlkioWeight", flags["blkio-weight"])
    set("CpuPeriod", flags["cpu-period"])
    set("CpuQuota", flags["cpu-quota"])
    set("CpuRealtimePeriod", flags["cpu-rt-period"])
    set("CpuRealtimeRuntime", flags["cpu-rt-runtime"])
    set("CpuShares", flags["cpu-shares"])
    set("CpusetCpus", flags["cpuset-cpus"])
    set("CpusetMems", flags["cpuset-mems"])
    set("PidsLimit", flags["pids-limit"])
    set("NanoCpus", flags.cpus === undefined ? undefined : parseCpus(flags.cpus))
    set("Memory", bytes(flags.memory))
    set("MemoryReservation", bytes(flags["memory-reservation"]))
    set("MemorySwap", flags["memory-swap"] === undefined ? undefined : parseMemorySwap(flags["memory-swap"]))
    if (flags.restart !== undefined) changes.RestartPolicy = parseRestartPolicy(flags.restart)
    if (Object.keys(changes).length === 0)
      throw new DhowError("invalid", "you must provide one or more flags when using this command")
    return forEachName(names, async (name) => {
      const answer = await updateContainer(client, name, changes)
      for (const warning of answer.Warnings ?? []) printError(`WARNING: ${warning}`)
      return name
    })
  },
})

function bytes(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseBytes(text)
}

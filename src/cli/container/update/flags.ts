// The flags of `update`, and the request that they make: limits as docker's, and what dhow changes besides.

import { DhowError } from "../../../lib/errors.ts"
import { checkedBy, parseBytes, parseCpus, parseMemorySwap } from "../../../lib/size.ts"
import type { Resources } from "../../../wire/container.ts"
import type { ContainerUpdateRequest } from "../../../wire/update.ts"
import { parseThrottleBytes, parseThrottleOperations, parseUlimit, parseWeightDevice } from "../../create/devices.ts"
import { containerFlags } from "../../create/flags.ts"
import { keyValueMap } from "../../create/key-values.ts"
import { parseNetRate } from "../../create/net-rate.ts"
import { parseHealth, parseRestartPolicy } from "../../create/policies.ts"
import { parsePublished } from "../../create/ports.ts"
import { parseHealthAction, parseTimeLimit } from "../../create/supervision.ts"
import { boolean, type FlagValues, list, string } from "../../flags/flags.ts"
import { parseMountSpec, parseUnpublished } from "./specs.ts"

/** As everywhere, and -1 for no limit any more. */
const parseLimit = (text: string): number => (text === "-1" ? 0 : parseBytes(text))
const limit = (help: string) => string("", help, { value: "bytes", check: checkedBy(parseLimit) })

const {
  "blkio-weight-device": weightDevice,
  "device-read-bps": readBps,
  "device-read-iops": readIops,
  "device-write-bps": writeBps,
  "device-write-iops": writeIops,
} = containerFlags

export const updateFlags = {
  "blkio-weight": containerFlags["blkio-weight"],
  "blkio-weight-device": weightDevice,
  "cpu-period": containerFlags["cpu-period"],
  "cpu-quota": containerFlags["cpu-quota"],
  "cpu-rt-period": containerFlags["cpu-rt-period"],
  "cpu-rt-runtime": containerFlags["cpu-rt-runtime"],
  "cpu-shares": containerFlags["cpu-shares"],
  cpus: containerFlags.cpus,
  "cpuset-cpus": containerFlags["cpuset-cpus"],
  "cpuset-mems": containerFlags["cpuset-mems"],
  "device-read-bps": readBps,
  "device-read-iops": readIops,
  "device-write-bps": writeBps,
  "device-write-iops": writeIops,
  "dry-run": boolean("", "Say what would change and when it takes effect"),
  env: containerFlags.env,
  "env-rm": list("", "Remove environment variables"),
  force: boolean("", "Take mounts away that are in use"),
  "health-action": containerFlags["health-action"],
  "health-cmd": containerFlags["health-cmd"],
  "health-interval": containerFlags["health-interval"],
  "health-retries": containerFlags["health-retries"],
  "health-start-interval": containerFlags["health-start-interval"],
  "health-start-period": containerFlags["health-start-period"],
  "health-timeout": containerFlags["health-timeout"],
  image: string("", "Put the container on another image, keeping its files"),
  "kernel-memory": containerFlags["kernel-memory"],
  label: containerFlags.label,
  "label-rm": list("", "Remove labels"),
  "log-driver": containerFlags["log-driver"],
  "log-opt": containerFlags["log-opt"],
  memory: { ...limit("Memory limit; 0 or -1 for none"), short: "m" },
  "memory-reservation": limit("Soft limit of memory; 0 or -1 for none"),
  "memory-swap": containerFlags["memory-swap"],
  "mount-add": list("", "Mount something (TYPE,.. or SOURCE:TARGET)", {
    value: "mount",
    check: checkedBy(parseMountSpec),
  }),
  "mount-rm": list("", "Take away what is mounted at a path", { value: "path" }),
  "net-rate": containerFlags["net-rate"],
  "no-healthcheck": boolean("", "End the health checks"),
  "pids-limit": containerFlags["pids-limit"],
  "publish-add": list("", "Publish a port to the host", { value: "port" }),
  "publish-rm": list("", "Do not publish a port any more", { value: "port" }),
  requires: containerFlags.requires,
  restart: string("", "Restart policy when the container exits"),
  "restart-now": boolean("", "Restart it where a change needs that"),
  "stop-signal": containerFlags["stop-signal"],
  "stop-timeout": containerFlags["stop-timeout"],
  timeout: containerFlags.timeout,
  ulimit: containerFlags.ulimit,
} as const

type Values = FlagValues<typeof updateFlags>

export function updateRequest(flags: Values): ContainerUpdateRequest {
  try {
    return { ...limits(flags), ...edits(flags) }
  } catch (error) {
    if (error instanceof DhowError) throw error
    throw new DhowError("invalid", error instanceof Error ? error.message : String(error))
  }
}

function limits(flags: Values): ContainerUpdateRequest {
  const request: ContainerUpdateRequest = {}
  const reset = new Set<keyof Resources>()
  /** Zero, nothing and -1 take a limit away; Docker's API would leave it. */
  const set = <Name extends keyof Resources>(name: Name, value: Resources[Name] | undefined): void => {
    if (value === undefined) return
    if (value === 0 || value === "" || (value === -1 && name !== "MemorySwap" && name !== "PidsLimit")) reset.add(name)
    else (request as Resources)[name] = value
  }
  const listed = <T>(specs: readonly string[], parse: (text: string) => T): T[] | undefined =>
    specs.length === 0 ? undefined : specs.map(parse)
  set("BlkioWeight", flags["blkio-weight"])
  set("BlkioWeightDevice", listed(flags["blkio-weight-device"], parseWeightDevice))
  set("BlkioDeviceReadBps", listed(flags["device-read-bps"], parseThrottleBytes))
  set("BlkioDeviceWriteBps", listed(flags["device-write-bps"], parseThrottleBytes))
  set("BlkioDeviceReadIOps", listed(flags["device-read-iops"], parseThrottleOperations))
  set("BlkioDeviceWriteIOps", listed(flags["device-write-iops"], parseThrottleOperations))
  set("CpuPeriod", flags["cpu-period"])
  set("CpuQuota", flags["cpu-quota"])
  set("CpuRealtimePeriod", flags["cpu-rt-period"])
  set("CpuRealtimeRuntime", flags["cpu-rt-runtime"])
  set("CpuShares", flags["cpu-shares"])
  set("CpusetCpus", flags["cpuset-cpus"])
  set("CpusetMems", flags["cpuset-mems"])
  set("PidsLimit", flags["pids-limit"] === 0 ? -1 : flags["pids-limit"])
  set("NanoCpus", flags.cpus === undefined ? undefined : parseCpus(flags.cpus))
  set("Memory", flags.memory === undefined ? undefined : parseLimit(flags.memory))
  set(
    "MemoryReservation",
    flags["memory-reservation"] === undefined ? undefined : parseLimit(flags["memory-reservation"]),
  )
  set("MemorySwap", flags["memory-swap"] === undefined ? undefined : parseMemorySwap(flags["memory-swap"]))
  set("Ulimits", listed(flags.ulimit, parseUlimit))
  // Without a limit of memory there is none of memory and swap.
  if (reset.has("Memory")) reset.add("MemorySwap")
  if (reset.size > 0) request.Reset = [...reset]
  if (flags.restart !== undefined) request.RestartPolicy = parseRestartPolicy(flags.restart)
  return request
}

function edits(flags: Values): ContainerUpdateRequest {
  const request: ContainerUpdateRequest = {}
  if (flags["publish-add"].length > 0) request.PublishAdd = parsePublished(flags["publish-add"]).bindings
  if (flags["publish-rm"].length > 0) request.PublishRm = parseUnpublished(flags["publish-rm"])
  if (flags["mount-add"].length > 0) request.MountAdd = flags["mount-add"].map(parseMountSpec)
  if (flags["mount-rm"].length > 0) request.MountRm = [...flags["mount-rm"]]
  for (const entry of flags.env)
    if (!entry.includes("=")) throw new Error(`variable "${entry}" is not set here: give it as ${entry}=VALUE`)
  if (flags.env.length > 0) request.EnvAdd = [...flags.env]
  if (flags["env-rm"].length > 0) request.EnvRm = [...flags["env-rm"]]
  if (flags.label.length > 0) request.LabelAdd = keyValueMap(flags.label)
  if (flags["label-rm"].length > 0) request.LabelRm = [...flags["label-rm"]]
  const health = parseHealth(flags)
  if (health !== undefined) request.Healthcheck = health
  if (flags["health-action"] !== undefined) request.HealthAction = parseHealthAction(flags["health-action"])
  if (flags.timeout !== undefined) request.Timeout = parseTimeLimit(flags.timeout)
  if (flags["net-rate"] !== undefined) request.NetRate = parseNetRate(flags["net-rate"])
  if (flags.requires.length > 0) request.Requires = [...flags.requires]
  const log = { Type: flags["log-driver"], Config: flags["log-opt"] }
  if (log.Type !== undefined || log.Config.length > 0)
    request.LogConfig = { ...(log.Type === undefined ? {} : { Type: log.Type }), Config: keyValueMap(log.Config) }
  if (flags.image !== undefined) request.Image = flags.image
  if (flags["stop-signal"] !== undefined) request.StopSignal = flags["stop-signal"]
  if (flags["stop-timeout"] !== undefined) request.StopTimeout = flags["stop-timeout"]
  if (flags.force === true) request.Force = true
  if (flags["restart-now"] === true) request.RestartNow = true
  if (flags["dry-run"] === true) request.DryRun = true
  return request
}

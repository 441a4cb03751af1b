// The limit of a container's traffic as it may be asked for: bytes per second, of interfaces of its own.
import { DhowError } from "../../lib/errors.ts"
import type { ContainerConfig, HostConfig, NetRate } from "../../wire/container.ts"

/** Slower than this a single packet would take seconds. */
const LEAST_RATE = 1000

/** What there is to hold to; undefined for no limit. */
export function completeNetRate(asked: NetRate | null | undefined): NetRate | undefined {
  const { In = 0, Out = 0 } = asked ?? {}
  for (const [name, rate] of Object.entries({ In, Out }))
    if (!Number.isSafeInteger(rate) || (rate !== 0 && rate < LEAST_RATE))
      throw new DhowError(
        "invalid",
        `invalid NetRate.${name} ${rate}: expected bytes per second, at least ${LEAST_RATE}, or 0`,
      )
  return In === 0 && Out === 0 ? undefined : { ...(In === 0 ? {} : { In }), ...(Out === 0 ? {} : { Out }) }
}

export function checkNetRate(
  { NetworkDisabled }: ContainerConfig,
  { NetRate, NetworkMode: mode = "" }: HostConfig,
): void {
  const isOthers = mode === "host" || mode === "none" || mode.startsWith("container:") || NetworkDisabled === true
  if (NetRate && isOthers)
    throw new DhowError("invalid", `conflicting options: a traffic limit and the network mode "${mode}"`, {
      hint: "Only interfaces of the container's own are limited: use a network of driver bridge",
    })
}

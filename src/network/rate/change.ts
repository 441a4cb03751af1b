// The limit of a container's traffic as its row has it, and another one while it runs: kernel first, row last.
import { DhowError } from "../../lib/errors.ts"
import type { NetRate } from "../../wire/container.ts"
import type { InterfaceLimits, RateChange } from "../contract.ts"
import { FIRST_INTERFACE, type Preparation } from "../prepare.ts"
import type { NamespaceRecord, Network } from "../record.ts"
import { isLimited, limitEndpoint, limitUsage, refuseUnlimited } from "./limits.ts"

type Parts = Pick<Preparation, "tables" | "host">

/** Makes the kernel do as the row says; nothing at all where it says nothing. */
export function holdToRate({ host }: Parts, { rate, endpoints }: NamespaceRecord): void {
  if (isLimited(rate)) for (const endpoint of endpoints) limitEndpoint(host, endpoint, rate)
}

export function changeRate(parts: Parts, owner: string, rate: NetRate | undefined): RateChange {
  const { tables, host } = parts
  const [namespace] = tables.namespacesOf(owner)
  if (namespace === undefined) {
    if (isLimited(rate))
      throw new DhowError("conflict", "A container without a network of its own has no traffic to limit")
    return { commit: () => {}, undo: () => {} }
  }
  const { key, record } = namespace
  refuseUnlimited(rate, networksOf(parts, record))
  const hold = (limit: NetRate | undefined): void => {
    for (const endpoint of record.endpoints) limitEndpoint(host, endpoint, limit)
  }
  try {
    hold(rate)
  } catch (error) {
    hold(record.rate)
    throw error
  }
  const { rate: _before, ...others } = record
  return {
    commit: () => tables.putNamespace(key, { ...others, ...(isLimited(rate) ? { rate } : {}) }),
    undo: () => hold(record.rate),
  }
}

export function limitsOf({ tables, host }: Parts, owner: string): Record<string, InterfaceLimits> {
  const [namespace] = tables.namespacesOf(owner)
  const { rate, endpoints = [] } = namespace?.record ?? {}
  if (!isLimited(rate)) return {}
  return Object.fromEntries(
    endpoints.flatMap((endpoint) =>
      endpoint.hostInterface === ""
        ? []
        : [[endpoint.interface ?? FIRST_INTERFACE, { rate, ...limitUsage(host, endpoint) }]],
    ),
  )
}

function networksOf({ tables }: Parts, { endpoints }: NamespaceRecord): Network[] {
  return endpoints.flatMap(({ network }) => tables.networksById(network))
}

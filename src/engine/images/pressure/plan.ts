// Which images go when the disk is too full: those that may go, the least recently used first, until enough is free.
// Pure: what is measured comes in, what is to be done comes out.
import type { GcConfig } from "../../../config.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { DiskFill } from "./disk.ts"

export type Standing = {
  readonly isRemoved: boolean
  readonly reason: string
  readonly lastUsed: number
  readonly labels: Readonly<Record<string, string>>
  readonly layers: readonly Digest[]
}

export type Relief<T> = {
  /** In the order in which they go. */
  readonly going: readonly (T & { readonly bytes: number })[]
  readonly staying: readonly (T & { readonly reason: string })[]
}

/** `standings` are verdicts of a prune by the same policy; `held` are layers that something else needs. */
export function planRelief<T extends Standing>(
  standings: readonly T[],
  {
    gc,
    fill,
    held,
    sizeOf,
  }: {
    readonly gc: GcConfig
    readonly fill: DiskFill
    readonly held: ReadonlySet<Digest>
    readonly sizeOf: (layer: Digest) => number
  },
): Relief<T> {
  let excess = bytesOver(fill, gc)
  const uses = new Map<Digest, number>()
  for (const { layers } of standings) for (const layer of new Set(layers)) uses.set(layer, (uses.get(layer) ?? 0) + 1)
  const going: (T & { bytes: number })[] = []
  const staying: (T & { reason: string })[] = []
  for (const standing of [...standings].sort((a, b) => a.lastUsed - b.lastUsed)) {
    const shield = gc.protect.find((label) => hasLabel(standing.labels, label))
    if (!standing.isRemoved) staying.push(standing)
    else if (shield !== undefined) staying.push({ ...standing, reason: `protected by label ${shield}` })
    else if (excess <= 0)
      staying.push({ ...standing, reason: going.length === 0 ? "there is room enough" : "enough is freed before" })
    else {
      let bytes = 0
      for (const layer of new Set(standing.layers)) {
        const left = uses.get(layer)! - 1
        uses.set(layer, left)
        if (left === 0 && !held.has(layer)) bytes += sizeOf(layer)
      }
      excess -= bytes
      going.push({ ...standing, reason: "least recently used", bytes })
    }
  }
  return { going, staying }
}

/** Bytes to free: none while the disk is not over the limit, and then down to the floor. */
function bytesOver({ used, total }: DiskFill, { max, floor }: GcConfig): number {
  return used > max * total ? used - floor * total : 0
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf("=")
  if (equals < 0) return Object.hasOwn(labels, wanted)
  return labels[wanted.slice(0, equals)] === wanted.slice(equals + 1)
}

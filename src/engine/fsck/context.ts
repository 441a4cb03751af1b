// What the checks share: the parts that they look at, and how they report.
import type { ContentStore } from "../../content/contract.ts"
import { describeError } from "../../lib/errors.ts"
import type { Registries } from "../../registry/contract.ts"
import type { Snapshotter } from "../../snapshot/contract.ts"
import type { Database } from "../../state/database.ts"
import type { FsckFinding, FsckProgress } from "../../wire/fsck.ts"
import type { ContainerStore } from "../containers/store.ts"
import type { LayerSources } from "../images/layer-sources.ts"
import type { ImageRecords } from "../images/records.ts"
import type { Affected } from "./affected.ts"

export type FsckParts = {
  /** State root. */
  readonly root: string
  readonly database: Database
  readonly content: ContentStore
  readonly snapshotter: Snapshotter
  readonly registries: Registries
  readonly containers: Pick<ContainerStore, "all" | "unreadable">
}

export type FsckOptions = {
  /** Fetch again and make anew what is damaged, where that can be done exactly. */
  readonly repair: boolean
  /** Bytes a second that are read at the most. */
  readonly rate?: number
  readonly signal: AbortSignal
}

/** One check under way. */
export type Check = FsckParts &
  FsckOptions & {
    readonly records: ImageRecords
    readonly layerSources: LayerSources
    readonly affected: Affected
    readonly report: (found: FsckFinding) => void
    readonly progress: (at: Omit<FsckProgress, "kind" | "total">) => void
  }

type Found = Pick<FsckFinding, "object" | "problem"> & Partial<Pick<FsckFinding, "images" | "containers">>

/** Reports damage, and where it was asked for what a repair came to. */
export async function damaged(
  check: Pick<Check, "repair" | "report" | "signal">,
  found: Found,
  mend: (() => Promise<string>) | string,
): Promise<boolean> {
  const finding = { kind: "finding", severity: "damage", images: [], containers: [], ...found } as const
  if (!check.repair) {
    check.report(finding)
    return false
  }
  const repair = await attempt(check, mend)
  check.report({ ...finding, repair })
  return repair.done
}

async function attempt(
  { signal }: Pick<Check, "signal">,
  mend: (() => Promise<string>) | string,
): Promise<NonNullable<FsckFinding["repair"]>> {
  if (typeof mend === "string") return { done: false, text: mend }
  try {
    return { done: true, text: await mend() }
  } catch (error) {
    signal.throwIfAborted()
    return { done: false, text: describeError(error) }
  }
}

export function note({ report }: Pick<Check, "report">, object: string, problem: string): void {
  report({ kind: "finding", severity: "note", object, problem, images: [], containers: [] })
}

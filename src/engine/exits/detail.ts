// What is read of a container that has ended, before its run is torn down: its last lines, who it was to the files that
// were mounted, how full its disk is. What cannot be read is left out; nothing here may delay the end for long.
import { statfs } from "node:fs/promises"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { ExitDetail, ExitReport, LogLine } from "../../wire/exit.ts"
import { healthOf } from "../containers/health-checks.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { containerPaths } from "../containers/paths.ts"
import type { Container, ContainerRecord } from "../containers/record.ts"
import { lastLines } from "./last-lines.ts"
import { readIdentity } from "./mount-access.ts"
import { REFUSED } from "./named-paths.ts"
import { soon } from "./soon.ts"

const READ_ONLY = /read-only file system|\bEROFS\b/i

/** Adds to the row what is known of `record`'s last end. Never throws. */
export async function describeExit(
  parts: ContainerParts,
  record: ContainerRecord,
  {
    row,
    report,
    health,
  }: { readonly row: number; readonly report: ExitReport; readonly health: ExitDetail["Health"] | undefined },
): Promise<void> {
  try {
    const detail = await readDetail(parts, record, report.ExitCode !== 0)
    parts.exits.describe(row, { ...detail, ...(health === undefined ? {} : { Health: health }) })
    parts.exits.prune()
  } catch (error) {
    log.warn("The end of a container is not described in full", { container: record.id, error: describeError(error) })
  }
}

/** Of an end that an earlier engine recorded, and was killed before it could describe it. */
export async function finishReport(
  parts: ContainerParts,
  { record, state }: Pick<Container, "record" | "state">,
): Promise<void> {
  const [last] = parts.exits.of(record.id)
  if (last !== undefined && last.report.Detail === undefined)
    await describeExit(parts, record, { ...last, health: healthOf(parts, record.id, state) })
}

async function readDetail(parts: ContainerParts, record: ContainerRecord, failed: boolean): Promise<ExitDetail> {
  const { lines, none } = await linesOf(parts, record)
  const refused = failed || lines.some(({ Text }) => REFUSED.test(Text) || READ_ONLY.test(Text))
  const [identity, disk] = refused
    ? await Promise.all([readIdentity(parts, record, lines), soon(statfs(parts.config.dataRoot))])
    : [undefined, undefined]
  return {
    LastLines: lines,
    ...(none === undefined ? {} : { NoLines: none }),
    ...(identity === undefined ? { Mounts: [] } : { User: identity.user, Mounts: identity.mounts }),
    ...(disk === undefined ? {} : { DiskFree: disk.bavail * disk.bsize, DiskSize: disk.blocks * disk.bsize }),
  }
}

async function linesOf(
  { config }: ContainerParts,
  { id, hostConfig }: ContainerRecord,
): Promise<{ readonly lines: LogLine[]; readonly none?: string }> {
  if (hostConfig.LogConfig?.Type === "none") return { lines: [], none: "log-driver" }
  try {
    return { lines: await lastLines(containerPaths(config, id).log) }
  } catch (error) {
    log.warn("The log of a container that ended cannot be read", { container: id, error: describeError(error) })
    return { lines: [], none: "unreadable" }
  }
}

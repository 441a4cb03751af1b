// What is read of a container that has ended, before its run is torn down: its last lines, who it was to the files that
// were mounted, how full its disk is. What cannot be read is left out; nothing here may delay the end for long.
import { readFileSync } from "node:fs"
import { stat, statfs } from "node:fs/promises"
import { join } from "node:path"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { RuntimeSpec } from "../../oci/runtime-spec.ts"
import type { ExitDetail, ExitReport, LogLine, MountAccess, ProcessUser } from "../../wire/exit.ts"
import { healthOf } from "../containers/health-checks.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { containerPaths } from "../containers/paths.ts"
import type { Container, ContainerRecord } from "../containers/record.ts"
import { accessOf, hostUser } from "./access.ts"
import { lastLines } from "./last-lines.ts"

/** A file system that hangs, of a server that does not answer, is not waited for. */
const PATIENCE_MS = 1000
const TROUBLE = /permission denied|read-only file system|operation not permitted|\bE(?:ACCES|PERM|ROFS)\b/i

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
  const refused = failed || lines.some(({ Text }) => TROUBLE.test(Text))
  const [identity, disk] = refused
    ? await Promise.all([identityOf(parts, record), soon(statfs(parts.config.dataRoot))])
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

type Identity = { readonly user: ProcessUser; readonly mounts: MountAccess[] }

/** From the specification that it ran with; undefined where that is gone, as after a reboot. */
async function identityOf(parts: ContainerParts, record: ContainerRecord): Promise<Identity | undefined> {
  let spec: RuntimeSpec
  try {
    spec = JSON.parse(readFileSync(join(containerPaths(parts.config, record.id).bundle, "config.json"), "utf8"))
  } catch {
    return undefined
  }
  const user = hostUser(spec)
  // At the start of a program a user other than root loses them.
  const overrides = user.Uid === 0 && spec.process.capabilities.effective.includes("CAP_DAC_OVERRIDE")
  const mounts = record.mounts.filter(({ Type }) => Type === "bind" || Type === "volume")
  const access = await Promise.all(
    mounts.map(async ({ Type, Source, Destination, RW }): Promise<MountAccess[]> => {
      const found = await soon(stat(Source))
      return found === undefined ? [] : [{ Type, Source, Destination, RW, ...accessOf(found, user, { overrides, RW }) }]
    }),
  )
  return { user, mounts: access.flat() }
}

async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS)
  })
  try {
    return await Promise.race([promise.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}

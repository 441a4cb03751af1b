// Collects the facts of one container, whatever became of it.
import { DhowError, describeError, isKind } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { readFinalUsage } from "../../runtime/final-usage.ts"
import type { ExitReport, LogLine } from "../../wire/exit.ts"
import type { Why } from "../../wire/why.ts"
import { checkOf } from "../containers/health.ts"
import { healthOf } from "../containers/health-checks.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { cgroupsPathOf, containerPaths } from "../containers/paths.ts"
import { type Container, isRunning } from "../containers/record.ts"
import { lastLines } from "../exits/last-lines.ts"
import { readIdentity } from "../exits/mount-access.ts"
import { REFUSED } from "../exits/named-paths.ts"
import { explain } from "./explain.ts"
import type { Facts, Running } from "./facts.ts"

/** For an end that is being torn down. */
const PATIENCE_MS = 2000

export async function explainContainer(parts: ContainerParts, reference: string): Promise<Why> {
  const container = find(parts, reference)
  return explain(container === undefined ? ofRemoved(parts, reference) : await ofContainer(parts, container))
}

/** Newest first; also of a container that is removed. */
export function exitsOf(parts: ContainerParts, reference: string): ExitReport[] {
  const id = find(parts, reference)?.record.id ?? removedId(parts, reference)
  return parts.exits.of(id).map(({ report }) => report)
}

function find(parts: ContainerParts, reference: string): Container | undefined {
  try {
    return parts.store.resolve(reference)
  } catch (error) {
    if (isKind(error, "not-found")) return undefined
    throw error
  }
}

function removedId(parts: ContainerParts, reference: string): string {
  const name = reference.startsWith("/") ? reference.slice(1) : reference
  const ids = parts.exits.containersNamed(name)
  // The one of several by its name that ended last; an id that several begin with names none of them.
  const isId = ids.every((id) => id.startsWith(name))
  if (ids.length > 1 && isId) throw new DhowError("invalid", `multiple IDs found with provided prefix: ${name}`)
  const [id] = ids
  if (id === undefined) throw new DhowError("not-found", `No such container: ${reference}`)
  return id
}

function ofRemoved(parts: ContainerParts, reference: string): Facts {
  const id = removedId(parts, reference)
  const [last, ...earlier] = parts.exits.of(id).map(({ report }) => report)
  return {
    id,
    name: last?.Name ?? reference,
    image: last?.Image ?? "",
    status: "removed",
    last,
    earlier,
    running: undefined,
    health: last?.Detail?.Health,
    healthCommand: [],
    healthAction: "none",
  }
}

async function ofContainer(parts: ContainerParts, { record, state }: Container): Promise<Facts> {
  const { id } = record
  // What an end that has just been seen is still being described with.
  if (!isRunning(state)) await Promise.race([parts.live.find(id)?.teardown, Bun.sleep(PATIENCE_MS)])
  const [last, ...earlier] = parts.exits.of(id).map(({ report }) => report)
  return {
    id,
    name: record.name,
    image: record.image,
    status: state.status,
    last,
    earlier,
    running: isRunning(state) ? await running(parts, { record, state }) : undefined,
    health: healthOf(parts, id, state),
    healthCommand: checkOf(record.config)?.command ?? [],
    healthAction: record.hostConfig.HealthAction || "none",
  }
}

async function running(
  parts: ContainerParts,
  { record, state }: Pick<Container, "record" | "state">,
): Promise<Running> {
  const { usage, limits } = readFinalUsage(cgroupsPathOf(parts.config, record), parts.host.cgroup)
  let lines: LogLine[] = []
  try {
    if (record.hostConfig.LogConfig?.Type !== "none")
      lines = await lastLines(containerPaths(parts.config, record.id).log)
  } catch (error) {
    log.warn("The log of a container cannot be read", { container: record.id, error: describeError(error) })
  }
  const isRefused = lines.some(({ Text }) => REFUSED.test(Text))
  const identity = isRefused ? await readIdentity(parts, record, lines) : undefined
  return { since: state.startedAt, usage, limits, lines, ...identity }
}

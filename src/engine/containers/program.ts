// Why a program of a container cannot be run, read from its files: what the runtime says of it is coarser, and on a
// terminal it says nothing. Mounts are looked at only where they are sure to answer.
import { readFileSync } from "node:fs"
import { posix } from "node:path"
import { canRun } from "../../runtime/emulation.ts"
import { describeProblem, type Executable, hintFor, inspectExecutable, searchPath } from "../../runtime/executable.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

export type ProgramProblem = {
  readonly detail: string
  readonly exitCode: 126 | 127
  readonly hint: string | undefined
}

type Program = Omit<Executable, "architecture" | "canRun">

/**
 * undefined where nothing is wrong, or where a mount hides what the container's files say. A link into a mount is not seen:
 * of a container with mounts this is only to be asked when its program has failed.
 */
export function programProblem(
  parts: ContainerParts,
  record: ContainerRecord,
  program: Program,
): ProgramProblem | undefined {
  const { command, cwd } = program
  const mounted = [
    ...record.mounts.map(({ Destination }) => Destination),
    ...Object.keys(record.hostConfig.Tmpfs ?? {}),
  ].map((path) => posix.resolve("/", path))
  const places = command.includes("/")
    ? [command]
    : searchPath(program.env).map((directory) => posix.join(directory, command))
  for (const place of places) {
    const path = posix.resolve("/", cwd, place)
    if (mounted.some((mount) => mount === "/" || path === mount || path.startsWith(`${mount}/`))) return undefined
  }
  return problemIn(containerPaths(parts.config, record.id).rootfs, program, parts)
}

/** File systems that answer by themselves; of others, a look could take for ever. */
const LOCAL =
  /^(?:overlay|tmpfs|ramfs|ext[234]|xfs|btrfs|zfs|f2fs|erofs|squashfs|proc|sysfs|cgroup2?|devpts|devtmpfs|mqueue|nsfs)$/

/** The same of a container that is made and not yet started: its mounts are seen as its program will see them. */
export function mountedProgramProblem(
  parts: ContainerParts,
  pid: number,
  program: Program,
): ProgramProblem | undefined {
  const types = readFileSync(`/proc/${pid}/mountinfo`, "utf8").matchAll(/ - (\S+) /g)
  for (const [, type = ""] of types) if (!LOCAL.test(type)) return undefined
  return problemIn(`/proc/${pid}/root`, program, parts)
}

function problemIn(root: string, program: Program, { host }: ContainerParts): ProgramProblem | undefined {
  const { architecture } = host
  const problem = inspectExecutable(root, { ...program, architecture, canRun: (other) => canRun(other, architecture) })
  if (problem === undefined) return undefined
  const isMissing = ["not-found", "missing-interpreter", "carriage-return"].includes(problem.problem)
  return {
    detail: describeProblem(program.command, problem),
    exitCode: isMissing ? 127 : 126,
    hint: hintFor(problem),
  }
}

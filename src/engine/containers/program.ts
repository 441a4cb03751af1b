// Why a program of a container cannot be run, read from its files: what the runtime says of it is coarser, and on a
// terminal it says nothing. Only the container's own files are looked at, never its mounts, which may not answer.
import { posix } from "node:path"
import { describeProblem, type Executable, inspectExecutable, searchPath } from "../../runtime/executable.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

export type ProgramProblem = { readonly detail: string; readonly exitCode: 126 | 127 }

/**
 * undefined where nothing is wrong, or where a mount hides what the container's files say. A link into a mount is not seen:
 * of a container with mounts this is only to be asked when its program has failed.
 */
export function programProblem(
  parts: ContainerParts,
  record: ContainerRecord,
  program: Omit<Executable, "architecture">,
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
  const { architecture } = parts.host
  const problem = inspectExecutable(containerPaths(parts.config, record.id).rootfs, { ...program, architecture })
  if (problem === undefined) return undefined
  const isMissing = problem.problem === "not-found" || problem.problem === "missing-interpreter"
  return { detail: describeProblem(command, problem), exitCode: isMissing ? 127 : 126 }
}

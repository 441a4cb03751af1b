// Why a program of a container cannot be run, read from its files: what the runtime says of it is coarser, and on a
// terminal it says nothing. Mounts are looked at only where they are sure to answer.
import { readFileSync } from "node:fs"
import { posix } from "node:path"
import { answersByItself } from "../../lib/mountinfo.ts"
import { formatPlatform, hostPlatform } from "../../oci/platform.ts"
import { handlerFor } from "../../runtime/emulation.ts"
import {
  describeProblem,
  type Executable,
  type ExecutableProblem,
  hintFor,
  inspectExecutable,
  searchPath,
} from "../../runtime/executable.ts"
import { emulationHint } from "../platforms.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

export type ProgramProblem = {
  readonly detail: string
  readonly exitCode: 126 | 127
  readonly hint: string | undefined
}

export type Program = Omit<Executable, "architecture" | "handlerFor">

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
  const mounts = mountsOf(record)
  const places = command.includes("/")
    ? [command]
    : searchPath(program.env).map((directory) => posix.join(directory, command))
  for (const place of places) {
    const path = posix.resolve("/", cwd, place)
    if (/^\/(?:proc|sys|dev)\//.test(path)) return undefined
    const over = mounts.filter(({ at }) => at === "/" || path === at || path.startsWith(`${at}/`))
    if (over.length === 0) continue
    const closest = over.reduce((a, b) => (b.at.length > a.at.length ? b : a))
    return closest.isNoexec && command.includes("/") ? noexecProblem(path, closest.at) : undefined
  }
  return problemIn(parts, record, { root: containerPaths(parts.config, record.id).rootfs, program })
}

type Mounted = { readonly at: string; readonly isNoexec: boolean }

function mountsOf({ mounts, hostConfig }: ContainerRecord): readonly Mounted[] {
  const at = (path: string): string => posix.resolve("/", path)
  return [
    ...mounts.map(({ Destination, options }) => ({ at: at(Destination), isNoexec: options.includes("noexec") })),
    // Without a word of it a tmpfs is noexec, as in Docker.
    ...Object.entries(hostConfig.Tmpfs ?? {}).map(([path, options]) => ({
      at: at(path),
      isNoexec: !options.split(",").includes("exec"),
    })),
  ]
}

function noexecProblem(path: string, mount: string): ProgramProblem {
  return {
    detail: `exec: "${path}": permission denied: "${mount}" is mounted noexec`,
    exitCode: 126,
    hint: `Mount it with exec: --tmpfs ${mount}:exec`,
  }
}

/** The same of a container that is made and not yet started: its mounts are seen as its program will see them. */
export function mountedProgramProblem(
  parts: ContainerParts,
  record: ContainerRecord,
  { pid, program }: { readonly pid: number; readonly program: Program },
): ProgramProblem | undefined {
  const types = readFileSync(`/proc/${pid}/mountinfo`, "utf8").matchAll(/ - (\S+) /g)
  for (const [, type = ""] of types) if (!answersByItself(type)) return undefined
  return problemIn(parts, record, { root: `/proc/${pid}/root`, program })
}

function problemIn(
  { host }: ContainerParts,
  record: ContainerRecord,
  { root, program }: { readonly root: string; readonly program: Program },
): ProgramProblem | undefined {
  const found = inspectExecutable(root, { ...program, architecture: host.architecture, handlerFor })
  if (found === undefined) return undefined
  if (found.problem === "architecture") return architectureProblem(found, record)
  const isMissing = ["not-found", "missing-interpreter", "carriage-return"].includes(found.problem)
  return {
    detail: describeProblem(program.command, found),
    exitCode: isMissing ? 127 : 126,
    hint: hintFor(found),
  }
}

function architectureProblem(
  { path, built }: Extract<ExecutableProblem, { readonly problem: "architecture" }>,
  { platform }: ContainerRecord,
): ProgramProblem {
  const image = formatPlatform(platform)
  const host = formatPlatform(hostPlatform())
  const what =
    built === platform.architecture
      ? `the image is for ${image}, this host is ${host}`
      : `it was built for ${built}, though the image is for ${image}; this host is ${host}`
  return {
    detail: `exec ${path}: exec format error: ${what}, and no emulation of ${built} is registered`,
    exitCode: 126,
    hint: emulationHint(built),
  }
}

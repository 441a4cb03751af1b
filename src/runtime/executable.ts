// Why a program of a container could not be run: looked into only after it failed. Everything read here was written by
// somebody else: opened inside the container's root only, never followed out of it, a few hundred bytes read.
import { closeSync, constants, fstatSync, readSync } from "node:fs"
import { posix } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { openInRoot } from "../lib/syscalls/open-in-root.ts"
import { runsNatively } from "../oci/platform.ts"

export type ExecutableProblem =
  | { readonly problem: "not-found" }
  | { readonly problem: "directory"; readonly path: string }
  | { readonly problem: "not-executable"; readonly path: string }
  /** Neither ELF nor a script with "#!". */
  | { readonly problem: "unknown-format"; readonly path: string }
  /** Built for another machine; names as in GOARCH. */
  | { readonly problem: "architecture"; readonly path: string; readonly built: string; readonly host: string }
  /** A script with the line ends of Windows. */
  | { readonly problem: "carriage-return"; readonly path: string; readonly interpreter: string }
  /** The dynamic loader, or the program that a script names. */
  | { readonly problem: "missing-interpreter"; readonly path: string; readonly interpreter: string }

/** ELF e_machine → GOARCH, for little and big endian where they differ. */
const MACHINES: Readonly<Record<number, string>> = {
  3: "386",
  8: "mips",
  20: "ppc",
  21: "ppc64le",
  22: "s390x",
  40: "arm",
  62: "amd64",
  183: "arm64",
  243: "riscv64",
  258: "loong64",
}
const PT_INTERP = 3
const HEAD_BYTES = 4096
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
const SCRIPT_DEPTH = 4

export type Executable = {
  /** The first word of the command. */
  readonly command: string
  readonly cwd: string
  readonly env: readonly string[]
  /** The host's architecture, as in GOARCH. */
  readonly architecture: string
  /** What the kernel hands files with this head to that it does not run itself. */
  readonly handlerFor: (head: Buffer, path: string) => FileHandler | undefined
}

export type FileHandler = {
  readonly interpreter: string
  /** With F it is open already; without, it is looked for in the container. */
  readonly flags: string
}

/** undefined when nothing is wrong that can be seen from outside. */
export function inspectExecutable(rootfs: string, executable: Executable): ExecutableProblem | undefined {
  const { command, cwd, env } = executable
  const context = { ...executable, depth: 0 }
  if (command.includes("/")) return inspectFile(rootfs, pathFrom(cwd, command), context)
  let unusable: ExecutableProblem | undefined
  for (const directory of searchPath(env)) {
    const path = pathFrom(cwd, `${directory}/${command}`)
    const found = inspectFile(rootfs, path, context)
    if (found?.problem === "not-found") continue
    if (found?.problem !== "not-executable" && found?.problem !== "directory") return found
    unusable ??= found
  }
  return unusable ?? { problem: "not-found" }
}

/** Not shortened: what ".." leads to after a symbolic link, only the file system knows. */
function pathFrom(cwd: string, path: string): string {
  return path.startsWith("/") ? path : `/${cwd}/${path}`.replace(/\/+(?:\.\/+)*/g, "/")
}

/** The directories in which a command without a slash is looked for. */
export function searchPath(env: readonly string[]): string[] {
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) || DEFAULT_PATH
  return path.split(":").map((directory) => directory || ".")
}

/** One clause for a person, without a full stop: what is wrong and, where there is something to do, what. */
export function describeProblem(command: string, found: ExecutableProblem): string {
  switch (found.problem) {
    case "not-found":
      return command.includes("/")
        ? `exec: "${command}": stat ${command}: no such file or directory`
        : `exec: "${command}": executable file not found in $PATH`
    case "directory":
      return `exec: "${found.path}": is a directory: permission denied`
    case "not-executable":
      return `exec: "${found.path}": permission denied`
    case "unknown-format":
      return `exec ${found.path}: exec format error: it is neither a program of this system nor a script with "#!"`
    case "architecture":
      return `exec ${found.path}: exec format error: it was built for ${found.built}, this host is ${found.host}`
    case "carriage-return":
      return `exec ${found.path}: no such file or directory: its first line ends in a carriage return, as on Windows, so that it asks for "${found.interpreter}\\r"`
    case "missing-interpreter":
      return `exec ${found.path}: no such file or directory: its interpreter "${found.interpreter}" is not in the image`
    default:
      return found satisfies never
  }
}

/** What to do about it, where there is something to do. */
export function hintFor(found: ExecutableProblem): string | undefined {
  switch (found.problem) {
    case "not-executable":
      return `Give the file the right to be executed: chmod +x ${found.path}`
    case "unknown-format":
      return 'A script needs a first line with its interpreter, such as "#!/bin/sh", with nothing before it'
    case "carriage-return":
      return "Write the file with line ends of Unix: sed -i 's/\\r$//' FILE"
    case "missing-interpreter":
      return loaderHint(found.interpreter)
    default:
      return undefined
  }
}

function loaderHint(interpreter: string): string | undefined {
  if (/\/ld-musl-[^/]+$/.test(interpreter))
    return "The program was linked with the C library of Alpine (musl), which this image has not: link it statically, or use an image with musl"
  if (/\/ld(?:-linux[^/]*|64)?\.so\.\d+$/.test(interpreter))
    return "The program was linked with glibc, which this image has not: link it statically, or use an image with glibc"
  return undefined
}

function inspectFile(
  rootfs: string,
  path: string,
  context: Pick<Executable, "architecture" | "handlerFor"> & { readonly depth: number },
): ExecutableProblem | undefined {
  const file = readHead(rootfs, path)
  if (file === undefined) return { problem: "not-found" }
  if (file.directory) return { problem: "directory", path }
  if (!file.regular || (file.mode & 0o111) === 0) return { problem: "not-executable", path }
  const { head } = file
  let interpreter: string | undefined
  if (head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46) {
    const elf = readElf(head)
    if (!runsNatively(elf.machine, context.architecture) && !isHandled(rootfs, path, { head, ...context }))
      return { problem: "architecture", path, built: elf.machine, host: context.architecture }
    interpreter = elf.interpreter
  } else if (head.length > 2 && head.toString("latin1", 0, 2) === "#!") {
    interpreter = /^#![ \t]*([^ \t\n]+)/.exec(head.toString("utf8", 0, 256))?.[1]
    // The kernel takes the line as it is: with the "\r" the interpreter has a name that nobody has.
    if (interpreter?.endsWith("\r")) return { problem: "carriage-return", path, interpreter: interpreter.slice(0, -1) }
  } else return isHandled(rootfs, path, { head, ...context }) ? undefined : { problem: "unknown-format", path }
  if (interpreter === undefined || context.depth >= SCRIPT_DEPTH) return undefined
  const deeper = inspectFile(rootfs, posix.resolve("/", interpreter), { ...context, depth: context.depth + 1 })
  return deeper?.problem === "not-found" ? { problem: "missing-interpreter", path, interpreter } : deeper
}

function isHandled(
  rootfs: string,
  path: string,
  { head, handlerFor }: Pick<Executable, "handlerFor"> & { readonly head: Buffer },
): boolean {
  const handler = handlerFor(head, path)
  if (handler === undefined) return false
  return handler.flags.includes("F") || readHead(rootfs, handler.interpreter) !== undefined
}

/** Machine and PT_INTERP of an ELF file's first page; offsets that lead out of it are left alone. */
function readElf(head: Buffer): { readonly machine: string; readonly interpreter: string | undefined } {
  const wide = head[4] === 2
  const little = head[5] !== 2
  const u16 = (at: number): number => (little ? head.readUInt16LE(at) : head.readUInt16BE(at))
  const u32 = (at: number): number => (little ? head.readUInt32LE(at) : head.readUInt32BE(at))
  const offset = (at: number): number => (wide ? u32(little ? at : at + 4) : u32(at))
  const number = u16(18)
  const machine = !little && number === 21 ? "ppc64" : (MACHINES[number] ?? `machine ${number}`)
  const table = offset(wide ? 32 : 28)
  const entrySize = u16(wide ? 54 : 42)
  const entries = u16(wide ? 56 : 44)
  for (let index = 0; index < entries && index < 64; index++) {
    const at = table + index * entrySize
    if (at + 56 > head.length) break
    if (u32(at) !== PT_INTERP) continue
    const start = offset(at + (wide ? 8 : 4))
    const size = offset(at + (wide ? 32 : 16))
    if (start + size > head.length || size < 2) break
    return { machine, interpreter: head.toString("utf8", start, start + size - 1) }
  }
  return { machine, interpreter: undefined }
}

type Head = { readonly directory: boolean; readonly regular: boolean; readonly mode: number; readonly head: Buffer }

function readHead(rootfs: string, path: string): Head | undefined {
  let fd: number
  try {
    fd = openInRoot(rootfs, path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = errnoName(error)
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined
    throw error
  }
  try {
    const stats = fstatSync(fd)
    const head = Buffer.alloc(HEAD_BYTES)
    const length = stats.isFile() ? readSync(fd, head, 0, HEAD_BYTES, 0) : 0
    return {
      directory: stats.isDirectory(),
      regular: stats.isFile(),
      mode: stats.mode,
      head: head.subarray(0, length),
    }
  } finally {
    closeSync(fd)
  }
}

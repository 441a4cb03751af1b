// conmon's command line, and reading one back from a conmon that an earlier engine left behind. Paths are relative to
// the bundle, which is conmon's working directory: --log-path splits at colons, and socket paths have little room.
import { basename, relative } from "node:path"
import { DhowError } from "../lib/errors.ts"
import type { ExecLaunchOptions, LaunchOptions } from "./contract.ts"

export const PID_FILE = "pidfile"
export const EXEC_EXIT_FILE = "exit"

export function launchArguments(options: LaunchOptions, exitDirectory: string): string[] {
  return [
    ...common(options.id, options.id, options),
    "--full-attach",
    "--exit-dir",
    exitDirectory,
    "--bundle",
    options.bundle,
    "--log-path",
    options.logPath === undefined ? "none" : `k8s-file:${logName(options.bundle, options.logPath)}`,
    ...sizeLimit(options),
    ...(options.leaveStdinOpen ? ["--leave-stdin-open"] : []),
    ...(options.timeout === undefined ? [] : ["--timeout", String(Math.ceil(options.timeout))]),
  ]
}

/** Where no engine looks after the log, conmon begins anew by itself: its count goes on over our rotations. */
const LEAST_UNATTENDED = 64 * 1024 * 1024

function sizeLimit({ logPath, logRotation }: LaunchOptions): string[] {
  if (logPath === undefined || logRotation === undefined || logRotation.maxSize <= 0) return []
  const { maxSize, maxFile, unattended } = logRotation
  const limit = unattended ?? Math.max(LEAST_UNATTENDED, maxSize * Math.max(2, maxFile))
  return ["--log-size-max", String(limit)]
}

export function execArguments(options: ExecLaunchOptions): string[] {
  const attached = options.beforeStart !== undefined
  return [
    ...common(options.container, options.id, options),
    "--exec",
    "--exec-process-spec",
    `${options.bundle}/process.json`,
    // Not --exit-dir: its file would be named after the container and be taken for the container's own.
    "--persist-dir",
    options.bundle,
    "--log-path",
    "none",
    // The bundle brings the attach socket and the fifo for the window size: nothing a detached process needs.
    ...(attached || options.terminal ? ["--full-attach", "--bundle", options.bundle] : []),
    ...(attached ? ["--exec-attach"] : []),
  ]
}

type Common = Pick<LaunchOptions, "bundle" | "runtime" | "terminal" | "stdin">

function common(container: string, unique: string, { bundle, runtime, terminal, stdin }: Common): string[] {
  return [
    "--sync",
    "--api-version",
    "--no-sync-log",
    "--log-level",
    "error",
    "--cid",
    container,
    "--cuuid",
    unique,
    "--name",
    unique,
    "--container-pidfile",
    `${bundle}/${PID_FILE}`,
    "--runtime",
    runtime.path,
    ...runtime.args.flatMap((argument) => ["--runtime-arg", argument]),
    ...(terminal ? ["--terminal"] : []),
    ...(stdin ? ["--stdin"] : []),
  ]
}

function logName(bundle: string, logPath: string): string {
  const name = relative(bundle, logPath)
  if (name.includes(":"))
    throw new DhowError("invalid", `Log path "${logPath}" cannot be given to conmon: it has a colon`)
  return name
}

/** What a running conmon was told, or undefined where these are not the arguments of `id`'s conmon. */
export function readConmonArguments(
  argv: readonly string[],
  id: string,
): { readonly stdin: boolean; readonly leaveStdinOpen: boolean } | undefined {
  if (basename(argv[0] ?? "") !== "conmon" || argv[argv.indexOf("--cuuid") + 1] !== id) return undefined
  return { stdin: argv.includes("--stdin"), leaveStdinOpen: argv.includes("--leave-stdin-open") }
}

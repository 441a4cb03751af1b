// The OCI runtimes by name: crun and runc where they are installed, and those that the configuration names.
import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "../lib/errors.ts"
import type { Runtime } from "./contract.ts"
import { crunRuntime } from "./crun.ts"
import { type GenericOptions, genericRuntime } from "./generic.ts"
import type { HostFacts } from "./host-facts.ts"

export interface Runtimes {
  /** By name; "" for the default. Throws Docker's error for a name that is not known. */
  get(name?: string): Runtime
  readonly defaultName: string
  /** Name → program and arguments, as GET /info shows them. */
  list(): ReadonlyMap<string, { readonly path: string; readonly runtimeArgs?: readonly string[] }>
}

export type RuntimesOptions = {
  readonly execRoot: string
  readonly defaultRuntime: string
  readonly runtimes: Readonly<Record<string, { readonly path: string; readonly runtimeArgs?: readonly string[] }>>
  readonly facts: HostFacts
}

type Entry = { readonly path: string; readonly runtimeArgs?: readonly string[] }

const BUILT_IN = ["crun", "runc"]
/** Containerd's name for what Docker calls its default: clients that send it mean no runtime in particular. */
export const CONTAINERD_RUNTIME = "io.containerd.runc.v2"
const DEFAULT_ALIASES = new Set(["", CONTAINERD_RUNTIME])
/** Where distributions put runtimes; an ordinary user's PATH lacks some of them. */
const EXTRA_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

export function openRuntimes(options: RuntimesOptions): Runtimes {
  /** Read whenever it is needed: the configuration may have changed. */
  const known = (): Map<string, Entry> =>
    new Map([...BUILT_IN.map((name) => [name, { path: name }] as const), ...Object.entries(options.runtimes)])
  if (!known().has(options.defaultRuntime))
    throw new DhowError("invalid", `specified default runtime '${options.defaultRuntime}' does not exist`)
  const opened = new Map<string, { readonly runtime: Runtime; readonly entry: Entry }>()

  return {
    get defaultName() {
      return options.defaultRuntime
    },

    get(asked = "") {
      const name = DEFAULT_ALIASES.has(asked) ? options.defaultRuntime : asked
      const before = opened.get(name)
      const entry = known().get(name)
      // A container may outlive the entry of its runtime: what was known goes on to serve it.
      if (before !== undefined && (entry === undefined || Bun.deepEquals(before.entry, entry))) return before.runtime
      if (entry === undefined) throw new DhowError("invalid", `unknown or invalid runtime name: ${name}`)
      const made = openRuntime(name, entry, options)
      opened.set(name, { runtime: made, entry })
      return made
    },

    list() {
      return new Map([...known()].filter(([name, entry]) => !BUILT_IN.includes(name) || find(entry.path) !== undefined))
    },
  }
}

function openRuntime(
  name: string,
  entry: { readonly path: string; readonly runtimeArgs?: readonly string[] },
  { execRoot, facts }: RuntimesOptions,
): Runtime {
  const path = find(entry.path)
  if (path === undefined)
    throw new DhowError("unavailable", `Runtime "${name}" cannot be used: "${entry.path}" was not found`, {
      hint: BUILT_IN.includes(name) ? `apt-get install ${name}` : "See the daemon's `runtimes` key",
    })
  const root = join(execRoot, `runtime-${name}`)
  mkdirSync(root, { recursive: true, mode: 0o700 })
  // What a crash left of an update; no container's directory begins with a dot.
  for (const entry of readdirSync(root)) if (entry.startsWith(".update-")) rmSync(join(root, entry), { force: true })
  const generic: GenericOptions = { name, path, root, runtimeArgs: entry.runtimeArgs, facts }
  // Only crun itself keeps its state as crun does; krun and others are links to it.
  return /(?:^|\/)crun$/.test(path) ? crunRuntime(generic) : genericRuntime(generic)
}

function find(path: string): string | undefined {
  return Bun.which(path, { PATH: `${process.env["PATH"] ?? ""}:${EXTRA_PATH}` }) ?? undefined
}

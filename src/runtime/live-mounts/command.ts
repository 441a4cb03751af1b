// `dhow internal live-mounts`: changes the mounts of a running container, in a process of its own, for a thread that has been
// in another mount namespace is no place for a daemon. The request and then steps come on standard input, answers go to
// standard output, a line each.
import { closeSync, fstatSync, readSync, writeSync } from "node:fs"
import { constants } from "node:os"
import { DhowError, describeError, errnoName } from "../../lib/errors.ts"
import { check, libc } from "../../lib/syscalls/libc.ts"
import { cloneTree, newFilesystem, setAttributes } from "../../lib/syscalls/mount-tree.ts"
import type { RuntimeMount } from "../../oci/runtime-spec.ts"
import { type TreeOptions, treeOptions } from "./attributes.ts"
import { ContainerNamespace } from "./namespace.ts"
import type { LiveMountAnswer, LiveMountPlan, LiveMountRequest } from "./request.ts"
import { mountUsers } from "./users.ts"

const PR_SET_PDEATHSIG = 1

/** Returns the exit status. */
export function liveMountsCommand(): number {
  try {
    // The daemon that is started next finds in the row what was under way, and nobody changes anything meanwhile.
    check(libc().prctl(PR_SET_PDEATHSIG, BigInt(constants.signals.SIGKILL), 0n, 0n, 0n), "prctl")
    process.umask(0)
    const next = lineReader()
    const request = JSON.parse(next()) as LiveMountRequest
    const trees = new Map(request.attach.map((mount) => [mount.destination, makeTree(mount)]))
    const namespace = new ContainerNamespace(request)
    say({ plan: planOf(namespace, request) })
    const replaced = new Set(request.detach.map(({ destination }) => destination))
    const attached: string[] = []
    const attach = (destinations: readonly string[]): void => {
      for (const destination of destinations) {
        namespace.attach(trees.get(destination)!, destination)
        attached.push(destination)
      }
    }
    const undo = (): void => {
      for (const destination of attached.splice(0).reverse()) namespace.detach(destination)
      namespace.removeMade()
    }
    for (let step = next(); step !== ""; step = next()) {
      if (step === "attach") {
        try {
          attach([...trees.keys()].filter((destination) => !replaced.has(destination)))
        } catch (error) {
          undo()
          throw error
        }
        say({ done: "attach" })
      } else if (step === "detach") {
        for (const { destination, least = 1 } of request.detach)
          if (namespace.look(destination).depth >= least) namespace.detach(destination)
        attach([...trees.keys()].filter((destination) => replaced.has(destination)))
        say({ done: "detach" })
      } else if (step === "undo") {
        undo()
        say({ done: "undo" })
      } else if (step === "restore") {
        for (const { destination, depth, missing } of request.restore ?? []) {
          while (namespace.look(destination).depth > depth) namespace.detach(destination)
          if (missing !== undefined) namespace.removeEmpty(missing, destination)
        }
        say({ done: "restore" })
      }
    }
    for (const tree of trees.values()) closeSync(tree)
    return 0
  } catch (error) {
    const kind =
      error instanceof DhowError ? error.kind : errnoName(error) === "ENOSYS" ? "not-implemented" : "internal"
    const known = kind === "invalid" || kind === "conflict" || kind === "not-implemented" ? kind : "internal"
    say({ error: { kind: known, message: describeError(error) } })
    return 1
  }
}

function planOf(namespace: ContainerNamespace, { attach, detach, pids }: LiveMountRequest): LiveMountPlan {
  return {
    attach: attach.map(({ destination }) => {
      const { depth, missing } = namespace.look(destination)
      return { destination, depth, ...(missing === undefined ? {} : { missing }) }
    }),
    detach: detach.map(({ destination }) => {
      const { path, depth } = namespace.look(destination)
      return { destination, depth, users: depth === 0 ? [] : mountUsers(pids, namespace.mountIds(path), path) }
    }),
  }
}

function makeTree({ destination, type, source = "", options = [] }: RuntimeMount): number {
  const wanted = treeOptions(options)
  try {
    if (type === "tmpfs") return newFilesystem("tmpfs", [["source", "tmpfs"], ...wanted.parameters], wanted.set)
    const tree = cloneTree(source, wanted)
    apply(tree, wanted)
    return tree
  } catch (cause) {
    if (errnoName(cause) === "ENOSYS")
      throw new DhowError(
        "not-implemented",
        "The kernel cannot mount into a running container: it is older than 5.12",
        {
          cause,
        },
      )
    throw new DhowError("invalid", `Cannot mount "${source || type}" at "${destination}"`, { cause })
  }
}

function apply(tree: number, { set, clear, setBelow, propagation, propagationBelow }: TreeOptions): void {
  const isDirectory = fstatSync(tree).isDirectory()
  setAttributes(tree, { set, clear, propagation: 0 }, { recursive: false })
  setAttributes(tree, { set: setBelow, clear: 0, propagation: 0 }, { recursive: isDirectory })
  setAttributes(tree, { set: 0, clear: 0, propagation }, { recursive: propagationBelow && isDirectory })
}

function say(answer: LiveMountAnswer): void {
  writeSync(1, `${JSON.stringify(answer)}\n`)
}

/** Lines of standard input; "" at its end. */
function lineReader(): () => string {
  let pending = Buffer.alloc(0)
  return () => {
    for (;;) {
      const end = pending.indexOf(0x0a)
      if (end >= 0) {
        const line = pending.toString("utf8", 0, end)
        pending = pending.subarray(end + 1)
        return line
      }
      const chunk = Buffer.alloc(64 * 1024)
      const length = readSync(0, chunk, 0, chunk.length, null)
      if (length === 0) return ""
      pending = Buffer.concat([pending, chunk.subarray(0, length)])
    }
  }
}

// Whether a path from outside can be looked at without waiting for ever: the server of a network file system, or of one in
// user space, may be dead, and who then looks at it hangs in the kernel, where nobody can wake him. So what lies on such
// a file system is first looked at by a process of its own, with a time limit; what answers just now is then looked at by
// the engine itself. Nothing is started for paths on file systems that answer by themselves.
import { lstatSync, readFileSync, readlinkSync } from "node:fs"
import { dirname } from "node:path"
import { DhowError } from "./errors.ts"
import { helperEnvironment } from "./helper-environment.ts"
import { answersByItself, type MountEntry, mountOf, parseMountinfo } from "./mountinfo.ts"

const LIMIT_MS = 3000
const MOST_LINKS = 40
/** Processes that hang: one for each file system, and of so many at most. */
const MOST_HANGING = 16
const hanging = new Set<number>()

/** Throws, naming the path and the file system, where that does not answer. Says nothing of whether the path is there. */
export async function answering(
  paths: readonly string[],
  { limit = LIMIT_MS, program = "stat" }: { readonly limit?: number; readonly program?: string } = {},
): Promise<void> {
  if (paths.length === 0) return
  const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"))
  for (const path of paths) {
    const far = farMount(path, mounts)
    if (far === undefined) continue
    if (
      hanging.has(far.id) ||
      hanging.size >= MOST_HANGING ||
      !(await looksAt([program, "-L", "--", path], far, limit))
    )
      throw new DhowError(
        "unavailable",
        `Cannot look at "${path}": the file system at "${far.path}" (${far.type}) does not answer`,
        { hint: "Its server may be away; umount -f takes it out of the way" },
      )
  }
}

/** The first mount on the way to a path that may not answer; it is not touched. */
function farMount(path: string, mounts: readonly MountEntry[]): MountEntry | undefined {
  const ahead = path.split("/")
  let at = ""
  for (let links = 0; ahead.length > 0; ) {
    const name = ahead.shift()
    if (name === undefined || name === "" || name === ".") continue
    if (name === "..") {
      at = at === "" ? "" : dirname(at).replace(/\/$/, "")
      continue
    }
    const next = `${at}/${name}`
    const mount = mountOf(next, mounts)
    if (mount !== undefined && !answersByItself(mount.type)) return mount
    const target = linkAt(next)
    if (target === "none") return undefined
    if (target === undefined) {
      at = next
      continue
    }
    if (++links > MOST_LINKS) return undefined
    if (target.startsWith("/")) at = ""
    ahead.unshift(...target.split("/"))
  }
  return undefined
}

/** Where a symbolic link points to; undefined for anything else, "none" for nothing. */
function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
  } catch {
    return "none"
  }
}

/** False when it is still looking at the end of its time. It stays in the kernel until the file system goes. */
async function looksAt(command: readonly string[], far: MountEntry, limit: number): Promise<boolean> {
  const child = Bun.spawn([...command], { env: helperEnvironment(), stdio: ["ignore", "ignore", "ignore"] })
  const timer = Promise.withResolvers<false>()
  const late = setTimeout(() => timer.resolve(false), limit)
  const ended = child.exited.then(() => true as const)
  const inTime = await Promise.race([ended, timer.promise])
  clearTimeout(late)
  if (inTime) return true
  hanging.add(far.id)
  child.kill("SIGKILL")
  child.unref()
  ended.finally(() => hanging.delete(far.id))
  return false
}

// Says when one of some files may have changed. An event is only a reason to look: what is compared is the file itself, a
// little later and once more, since events of a quick sequence get lost.
import { existsSync, type FSWatcher, statSync, watch } from "node:fs"
import { dirname } from "node:path"
import { log } from "../lib/log.ts"

const SOON_MS = 30
const ONCE_MORE_MS = 500

/** What tells one version of a file from another; "" where there is none. */
export function versionOf(path: string): string {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false })
  return status === undefined ? "" : `${status.dev} ${status.ino} ${status.size} ${status.mtimeNs} ${status.ctimeNs}`
}

/** Looks after each path's directory, or the nearest that exists, so that a file may come into being. */
export function watchFiles(paths: readonly string[], look: () => void): () => void {
  const watchers = new Map<string, FSWatcher>()
  let timers: NodeJS.Timeout[] = []
  const lookTwice = (): void => {
    for (const timer of timers) clearTimeout(timer)
    timers = [SOON_MS, ONCE_MORE_MS].map((after) =>
      setTimeout(() => {
        arm()
        look()
      }, after).unref(),
    )
  }
  const arm = (): void => {
    const wanted = new Set(paths.map(nearestDirectory))
    for (const [directory, watcher] of watchers)
      if (!wanted.has(directory)) {
        watcher.close()
        watchers.delete(directory)
      }
    for (const directory of wanted) {
      if (watchers.has(directory)) continue
      try {
        const watcher = watch(directory, { persistent: false }, lookTwice)
        watcher.on("error", () => {
          watcher.close()
          watchers.delete(directory)
        })
        watchers.set(directory, watcher)
      } catch (error) {
        log.warn("Cannot watch the configuration: it is read again on SIGHUP", { directory, error: String(error) })
      }
    }
  }
  arm()
  return () => {
    for (const timer of timers) clearTimeout(timer)
    for (const watcher of watchers.values()) watcher.close()
  }
}

function nearestDirectory(path: string): string {
  let directory = dirname(path)
  while (!existsSync(directory) && directory !== "/") directory = dirname(directory)
  return directory
}

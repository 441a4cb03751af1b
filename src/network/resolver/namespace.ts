// Sockets inside a network namespace: Bun makes its sockets inside the call, so the thread goes there for that instant.
import { closeSync, openSync } from "node:fs"
import { check, lastError, libc } from "../../lib/syscalls/libc.ts"
import { CLONE_NEWNET } from "../../lib/syscalls/mount.ts"

let own: number | undefined

/** Runs `body`, which must be synchronous, with this thread in the namespace that is open as `fd`. */
export function inNamespace<T>(fd: number, body: () => T): T {
  own ??= openSync("/proc/thread-self/ns/net", "r")
  check(libc().setns(fd, CLONE_NEWNET), "setns")
  try {
    return body()
  } finally {
    if (libc().setns(own, CLONE_NEWNET) !== 0) {
      // In a container's network everything that follows would be wrong.
      console.error(`no way back from a network namespace: ${lastError("setns").message}`)
      process.exit(70)
    }
  }
}

export function openNamespace(path: string): number {
  return openSync(path, "r")
}

export function closeNamespace(fd: number): void {
  closeSync(fd)
}

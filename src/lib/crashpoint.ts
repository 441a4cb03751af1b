// Named gaps between two steps of a state change. In a crash test the daemon kills itself with SIGKILL at the one that
// DHOW_CRASH_AT names, after DHOW_CRASH_AFTER earlier passes (default 0); otherwise a crash point costs one comparison.
// The crash tests find the names by searching the source for calls of this function.

const armed = process.env["DHOW_CRASH_AT"]
let remaining = Number(process.env["DHOW_CRASH_AFTER"] ?? 0)

export function crashpoint(name: string): void {
  if (armed !== name) return
  if (remaining-- > 0) return
  process.kill(process.pid, "SIGKILL")
}

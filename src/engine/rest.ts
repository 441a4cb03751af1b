// Rest: every few seconds a busy engine lets go of program text it does not use, and some seconds after the last event of
// garbage too. One timer, armed by an event; an engine that nobody uses wakes up for nothing.
import { releaseText } from "../lib/syscalls/memory.ts"
import type { EventLog } from "./events.ts"

const AFTER_MS = 3000

export function restWhenIdle(events: EventLog): void {
  let lastEvent = performance.now()
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const quiet = performance.now() - lastEvent
    timer = quiet < AFTER_MS ? setTimeout(look, AFTER_MS).unref() : undefined
    if (timer === undefined) Bun.gc(true)
    releaseText()
  }
  const arm = (): void => {
    lastEvent = performance.now()
    timer ??= setTimeout(look, AFTER_MS).unref()
  }
  events.onEvent(arm)
  // What starting up touched goes the same way.
  arm()
}

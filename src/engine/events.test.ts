import { expect, test } from "bun:test"
import { Database } from "../state/database.ts"
import type { EventMessage } from "../wire/system.ts"
import { EventLog } from "./events.ts"

async function take(events: AsyncIterable<EventMessage>, count: number): Promise<EventMessage[]> {
  const taken: EventMessage[] = []
  for await (const event of events) {
    taken.push(event)
    if (taken.length === count) break
  }
  return taken
}

test("EventLog keeps events across a restart and tells them once", async () => {
  const path = `${process.env["TMPDIR"] ?? "/tmp"}/dhow-events-${process.pid}.db`
  const database = Database.open(path)
  const first = new EventLog(database)
  first.emit("container", "create", "c1", { name: "one" })
  first.emit("container", "start", "c1", { name: "one" })
  first.flush()
  const second = new EventLog(database)
  const abort = new AbortController()
  const events = second.subscribe({ since: 0, filters: new Map(), signal: abort.signal })
  second.emit("container", "die", "c1", { name: "one", exitCode: "0" })
  expect((await take(events, 3)).map(({ Action }) => Action)).toEqual(["create", "start", "die"])
  abort.abort()
  database.close()
  for (const suffix of ["", "-wal", "-shm"])
    await Bun.file(path + suffix)
      .delete()
      .catch(() => undefined)
})

test("EventLog ends a bounded subscription, and filters by type, action and name", async () => {
  const database = Database.open(":memory:")
  const log = new EventLog(database)
  log.emit("container", "start", "abc", { name: "web", image: "busybox:latest" })
  log.emit("image", "pull", "busybox:latest", { name: "busybox" })
  log.emit("container", "exec_start: sh", "abc", { name: "web" })
  const until = Date.now() + 1
  const filters = new Map([
    ["type", ["container"]],
    ["container", ["web"]],
    ["event", ["exec_start"]],
  ])
  const seen: string[] = []
  for await (const event of log.subscribe({ since: 0, until, filters, signal: new AbortController().signal }))
    seen.push(event.Action)
  expect(seen).toEqual(["exec_start: sh"])
  database.close()
})

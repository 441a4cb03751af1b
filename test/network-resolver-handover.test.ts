// A newer engine's resolver takes over from an older one's: the same ports, the same rule, and questions are answered all
// the while. And a process without work leaves by itself.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createNetworkNamespace, unmount } from "../src/lib/syscalls/mount.ts"
import { openRouteSocket, setLoopbackUp } from "../src/network/link.ts"
import type { Resolver } from "../src/network/resolver/contract.ts"
import { Control } from "../src/network/resolver/control.ts"
import { openResolver } from "../src/network/resolver/open.ts"
import { Database } from "../src/state/database.ts"
import { ask } from "./support/dns.ts"

const MAIN = join(import.meta.dir, "../src/main.ts")
const KEY = "0a1b2c3d4e"

describe.skipIf(process.getuid?.() !== 0)("the resolver's process", () => {
  let root: string
  let database: Database
  let holder: Bun.Subprocess
  const opened: Resolver[] = []
  const control = (): string => join(root, "resolver/control.sock")

  /** A program of its own build: the same, under another path. */
  const open = (build: string): Resolver => {
    const program = join(root, build)
    writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`)
    chmodSync(program, 0o700)
    const resolver = openResolver({
      execRoot: root,
      database: join(root, "dhow.db"),
      internalCommand: [program, "internal"],
    })
    opened.push(resolver)
    return resolver
  }
  const pid = async (): Promise<number> => {
    const connection = await Control.connect(control())
    const { pid: found } = await connection.ask({ verb: "hello" })
    connection.close()
    return found
  }
  const until = async (body: () => boolean | Promise<boolean>): Promise<void> => {
    for (const deadline = performance.now() + 15_000; performance.now() < deadline; await Bun.sleep(10))
      if (await body()) return
    throw new Error("it did not come to be")
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "dhow-resolver-"))
    database = Database.open(join(root, "dhow.db"))
    mkdirSync(join(root, "netns"))
    const path = join(root, "netns", KEY)
    writeFileSync(path, "")
    createNetworkNamespace(path, () => {
      using inner = openRouteSocket()
      setLoopbackUp(inner)
    })
    holder = Bun.spawn(["nsenter", `--net=${path}`, "sleep", "1000"])
    const settings = { IPAddress: "10.9.0.2", Gateway: "10.9.0.1", DNSNames: ["db"] }
    const record = {
      name: "db",
      ports: [],
      endpoints: [{ network: "n", networkName: "app", hostInterface: "", settings }],
    }
    const network = JSON.stringify({ driver: "bridge", internal: true })
    database
      .query<unknown, { record: string }>(
        "INSERT INTO networks (id, name, created_at, record) VALUES ('n', 'app', 0, $record)",
      )
      .run({ record: network })
    database
      .query<unknown, { key: string; record: string }>(
        "INSERT INTO network_namespaces (key, owner, record) VALUES ($key, 'c', $record)",
      )
      .run({ key: KEY, record: JSON.stringify(record) })
  })
  afterEach(async () => {
    for (const resolver of opened.splice(0).reverse()) await resolver.close()
    holder.kill("SIGKILL")
    await holder.exited
    unmount(join(root, "netns", KEY))
    database.close()
    rmSync(root, { recursive: true, force: true })
  })

  test("a newer build takes the ports of an older one, whose process ends, and names are answered all the while", async () => {
    const old = open("old")
    await old.serve(KEY, { servers: [], ndots: false })
    await until(async () => (await ask(holder.pid, { name: "db", type: "A" }).catch(() => undefined)) !== undefined)
    const [before, ports] = [await pid(), readFileSync(join(root, "resolver/served", KEY), "utf8")]
    let isOver = false
    const answers: string[] = []
    const asking = (async () => {
      while (!isOver) {
        const told = await ask(holder.pid, { name: "db", type: "A", milliseconds: 1000 }).catch(() => undefined)
        // A packet that was under way to a socket being closed is asked again, as every client does.
        const again = told ?? (await ask(holder.pid, { name: "db", type: "A" }))
        answers.push(again.values.join())
      }
    })()
    await open("new").open()
    await until(() => !existsSync(`/proc/${before}`) || readFileSync(`/proc/${before}/stat`, "utf8").includes(") Z "))
    isOver = true
    await asking
    expect(await pid()).not.toBe(before)
    expect(new Set(answers)).toEqual(new Set(["10.9.0.2"]))
    expect(readFileSync(join(root, "resolver/served", KEY), "utf8")).toBe(ports)
    expect((await ask(holder.pid, { name: "db", type: "A", tcp: true })).values).toEqual(["10.9.0.2"])
  }, 40_000)

  test("a namespace that is withdrawn is let go, and a failure to serve one is said", async () => {
    const resolver = open("one")
    await resolver.serve(KEY, { servers: [], ndots: false })
    expect(resolver.serve("ffffffffff", { servers: [], ndots: false })).rejects.toThrow("Cannot answer names")
    resolver.withdraw(KEY)
    await until(
      async () =>
        (await ask(holder.pid, { name: "db", type: "A", milliseconds: 200 }).catch(() => undefined)) === undefined,
    )
    await resolver.close()
    expect(existsSync(control())).toBe(false)
  }, 40_000)
})

// A stack of docker compose that keeps notes in a volume behind a scaled application and a proxy, all of them busybox; the
// engine is killed while it serves, and in the middle of an `up`. examples/compose-stack shows the same with real programs.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { composeProgram, eventually, Project } from "../support/compose.ts"
import { testEngine } from "../support/fixture.ts"
import { agree } from "../support/invariants.ts"

const COMPOSE = `
x-base: &base {image: bb, init: true, stop_grace_period: 1s}
x-check: &check {interval: 30s, start_period: 20s, start_interval: 100ms, retries: 2}
services:
  store:
    <<: *base
    command: nc -ll -p 6000 -e /bin/sh /store
    configs: [{source: store, target: /store}]
    volumes: [notes:/data]
    networks: {back: {aliases: [keeper]}}
    healthcheck: {<<: *check, test: "echo | nc -w 2 127.0.0.1 6000"}
  app:
    <<: *base
    command: nc -ll -p 8000 -e /bin/sh /app
    configs: [{source: app, target: /app}]
    networks: [front, back]
    deploy: {replicas: 2}
    depends_on: {store: {condition: service_healthy}}
    healthcheck: {<<: *check, test: "echo | nc -w 2 127.0.0.1 8000"}
  proxy:
    <<: *base
    command: nc -ll -p 80 -e /bin/sh /proxy
    configs: [{source: proxy, target: /proxy}]
    networks: [front]
    ports: ["127.0.0.1::80"]
    depends_on: {app: {condition: service_healthy}}
networks: {front: {}, back: {internal: true}}
volumes: {notes: {}}
configs:
  # One line in, one note more; an empty one only asks. Answers how many there are.
  store: {content: "read line; [ -z \\"$$line\\" ] || echo \\"$$line\\" >> /data/notes; touch /data/notes; wc -l < /data/notes"}
  # Who answers, and what the store says.
  app: {content: "read line; echo \\"$$(hostname) $$(echo \\"$$line\\" | nc -w 5 keeper 6000)\\""}
  # One of the application's addresses, asked for each time, in turn.
  proxy:
    content: |
      n=$$(($$(cat /tmp/n 2>/dev/null || echo 0) + 1)); echo $$n > /tmp/n
      all=$$(nslookup app 127.0.0.11 2>/dev/null | busybox sed -n '/^Name/,$$s/^Address[ 0-9]*: *\\([0-9.]*\\).*/\\1/p' | sort)
      set -- $$all
      [ $$# -eq 0 ] || shift $$((n % $$#))
      exec nc -w 5 "$$1" 8000
`

describe.skipIf(composeProgram === undefined)("a stack of docker compose", () => {
  const engine = testEngine()
  let project: Project
  let port = 0

  /** One connection: who answered, and how many notes there are. */
  async function ask(note: string): Promise<{ readonly host: string; readonly count: number }> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    let text = ""
    const timer = setTimeout(() => reject(new Error(`no answer to "${note}"`)), 8_000)
    await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => void socket.write(`${note}\n`),
        data: (_socket, chunk) => {
          text += chunk.toString()
        },
        close: () => resolve(text),
        error: (_socket, error) => reject(error),
      },
    }).catch(reject)
    const [, host = "", count = ""] = /^(\S+) (\d+)\n$/.exec(await promise.finally(() => clearTimeout(timer))) ?? []
    if (host === "") throw new Error(`"${text}" to "${note}"`)
    return { host, count: Number(count) }
  }
  const up = async (...more: readonly string[]): Promise<void> => {
    await project.ok("up", "-d", "--wait", ...more)
    port = Number((await project.ok("port", "proxy", "80")).split(":")[1])
  }
  const answering = async (wanted: number): Promise<void> => {
    const lately: string[] = []
    await eventually(
      async () => {
        lately.push((await ask("")).host)
        return new Set(lately.slice(-2 * wanted - 2))
      },
      (hosts) => hosts.size === wanted && lately.length >= 2 * wanted + 2,
    )
  }

  beforeAll(() => {
    project = new Project(engine, "stack", { "compose.yaml": COMPOSE })
  })
  afterAll(async () => {
    await project.run(["down", "-v", "-t", "1"])
  })

  test("serves through a published port, names and two networks", async () => {
    await up()
    expect((await ask("first")).count).toBe(1)
    await answering(2)
    expect((await project.run(["exec", "-T", "proxy", "nslookup", "store"])).status).not.toBe(0)
  })

  test("a service scaled up and down is found as it is", async () => {
    await up("--scale", "app=3", "--no-recreate")
    await answering(3)
    await up("--scale", "app=1", "--no-recreate")
    await answering(1)
  })

  test("what is in the volume is there after down and up", async () => {
    const { count } = await ask("before down")
    await project.ok("down", "-t", "1")
    await up()
    expect((await ask("")).count).toBe(count)
  })

  test("an engine killed while it serves is not missed, and finds all as it was", async () => {
    const before = (await project.containers()).map(({ ID }) => ID).sort()
    const { count } = await ask("")
    let noted = 0
    await engine.kill()
    for (; noted < 5; noted++) await ask(`without an engine ${noted}`)
    await engine.start()
    expect((await ask("after")).count).toBe(count + noted + 1)
    const after = await project.containers()
    expect(after.map(({ ID }) => ID).sort()).toEqual(before)
    expect(after.every(({ State }) => State === "running")).toBe(true)
    expect(after.filter(({ Health }) => Health !== "").map(({ Health }) => Health)).toEqual(Array(3).fill("healthy"))
    // The scale of before is not lost on a client that knows nothing of the crash.
    await up()
    expect((await project.containers()).map(({ ID }) => ID).sort()).toEqual(before)
    await agree(engine)
  })

  test("an engine killed in the middle of an up loses nothing, and the next up is whole", async () => {
    const { count } = await ask("")
    for (const action of ["create", "start"]) {
      await project.ok("down", "-t", "1")
      const seen = second(action)
      const broken = project.run(["up", "-d", "--wait"])
      await seen
      await engine.kill()
      expect((await broken).status).not.toBe(0)
      await engine.start()
      await up()
      expect((await project.containers()).map(({ Name }) => Name).sort()).toEqual([
        "stack-app-1",
        "stack-app-2",
        "stack-proxy-1",
        "stack-store-1",
      ])
      expect((await ask("")).count).toBe(count)
    }
    await agree(engine)
  }, 55_000)

  /** Resolves at the second event of the kind: something is done by then, and something is not. */
  async function second(action: string): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ event: [action] }))
    const response = await fetch(`http://dhow/events?since=${Date.now() / 1000}&filters=${filters}`, {
      unix: engine.socket,
    })
    const decoder = new TextDecoder()
    let text = ""
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk, { stream: true })
      if (text.split("\n").length > 2) return
    }
  }
})

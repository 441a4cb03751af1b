// Log drivers that send elsewhere, against real receivers: what arrives, what a start says when nobody listens, and that
// neither a restart of the engine nor one of the receiver loses a line.
import { describe, expect, test } from "bun:test"
import { hostname } from "node:os"
import { join } from "node:path"
import { loggingContainers, SCRIPT, until, usable } from "./containers.ts"
import { FluentServer, freePort, startGelf } from "./receivers.ts"

describe.skipIf(!usable)("log drivers", () => {
  const containers = loggingContainers()
  const { engine, directory, create, run, wait, read } = containers

  test("where nobody listens, the start fails with Docker's words", async () => {
    const port = freePort()
    const refused = `failed to create task for container: failed to initialize logging driver: `
    for (const [type, options, message] of [
      [
        "syslog",
        { "syslog-address": `tcp://127.0.0.1:${port}` },
        `dial tcp 127.0.0.1:${port}: connect: connection refused`,
      ],
      [
        "gelf",
        { "gelf-address": `tcp://127.0.0.1:${port}` },
        `gelf: cannot connect to GELF endpoint: 127.0.0.1:${port} dial tcp 127.0.0.1:${port}: connect: connection refused`,
      ],
      [
        "fluentd",
        { "fluentd-address": `127.0.0.1:${port}` },
        `dial tcp 127.0.0.1:${port}: connect: connection refused`,
      ],
      ["journald", { "journald-namespace": "dhow-no-such" }, "journald is not enabled on this host"],
    ] as const) {
      const id = await create(type, options)
      const answer = await engine.call("POST", `/containers/${id}/start`)
      expect([answer.status, (answer.json as { message: string }).message]).toEqual([500, `${refused}${message}`])
    }
  })

  test("cache-disabled leaves nothing to read", async () => {
    const options = { "gelf-address": `udp://127.0.0.1:${freePort()}`, "cache-disabled": "true" }
    const id = await run("gelf", options)
    await wait(id)
    const answer = await engine.call("GET", `/containers/${id}/logs?stdout=1`)
    expect([answer.status, answer.json]).toEqual([
      501,
      { message: "configured logging driver does not support reading" },
    ])
  })

  test.each([
    ["udp", { "gelf-compression-type": "gzip", "gelf-compression-level": "9" }],
    ["udp", { "gelf-compression-type": "zlib" }],
    ["udp", { "gelf-compression-type": "none" }],
    ["tcp", { "gelf-tcp-max-reconnect": "3", "gelf-tcp-reconnect-delay": "1" }],
  ])("gelf over %s with %j", async (scheme, options) => {
    const server = await startGelf()
    try {
      const attributes = { labels: "team", env: "COLOUR", tag: "{{.Name}}" }
      const id = await run("gelf", {
        "gelf-address": `${scheme}://127.0.0.1:${server.port}`,
        ...attributes,
        ...options,
      })
      await wait(id)
      await until(() => server.messages.length >= 5)
      const texts = server.messages.map(({ short_message }) =>
        String(short_message).replace(/x{100,}/, (all) => `x*${all.length}`),
      )
      expect(texts.sort()).toEqual(["end", "err", "out", "x*16384", "x*3616"])
      const first = server.messages.find((message) => message["short_message"] === "err")!
      expect(first).toMatchObject({
        version: "1.1",
        host: hostname(),
        level: 3,
        _container_id: id,
        _container_name: containers.last,
        _image_name: "bb",
        _command: `sh -c ${SCRIPT}`,
        _tag: containers.last,
        _team: "a b",
        _COLOUR: "blue",
      })
      expect(Math.abs(Number(first["timestamp"]) - Date.now() / 1000)).toBeLessThan(60)
      expect(Date.parse(String(first["_created"]))).toBeGreaterThan(0)
      if (options["gelf-compression-type" as keyof typeof options] === "none") expect(server.chunks).toBeGreaterThan(10)
    } finally {
      await server.stop()
    }
  })

  test("fluentd: every line arrives though receiver and engine are killed; receipts are waited for", async () => {
    const server = new FluentServer()
    const port = freePort()
    await server.listen(port)
    const options = {
      "fluentd-address": `127.0.0.1:${port}`,
      "fluentd-request-ack": "true",
      "fluentd-sub-second-precision": "true",
      "fluentd-write-timeout": "1s",
      "fluentd-retry-wait": "50ms",
      labels: "team",
    }
    const script = "i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); usleep 10000; done; printf rest"
    const id = await run("fluentd", options, script)
    const numbers = (): Set<string> => new Set(server.events.map(({ record }) => record["log"]!))
    await until(() => numbers().size > 30)
    await engine.kill()
    await engine.start()
    await until(() => numbers().size > 80)
    await server.crash()
    await server.listen(port)
    await until(() => numbers().size > 130)
    // Takes what comes, and says nothing: it comes again.
    server.mute = true
    await Bun.sleep(300)
    await server.crash()
    server.mute = false
    await server.listen(port)
    await wait(id)
    await until(() => numbers().has("rest"))
    expect([...numbers()].filter((text) => text !== "rest").length).toBe(300)
    const { tag, time, record } = server.events[0]!
    expect(tag).toBe(id.slice(0, 12))
    expect(time).toMatchObject({ type: 0 })
    expect(record).toEqual({
      container_id: id,
      container_name: `/${containers.last}`,
      source: "stdout",
      log: "0",
      team: "a b",
    })
    expect(server.events.find((event) => event.record["log"] === "rest")!.record).toMatchObject({
      partial_message: "true",
      partial_ordinal: "1",
      partial_last: "false",
    })
    await server.crash()
  }, 30_000)

  test("mode=blocking: while nothing is taken the container waits, and then every line arrives", async () => {
    const server = new FluentServer()
    const port = freePort()
    await server.listen(port)
    server.mute = true
    const id = await run(
      "fluentd",
      {
        "fluentd-address": `127.0.0.1:${port}`,
        "fluentd-request-ack": "true",
        "fluentd-write-timeout": "200ms",
        "fluentd-retry-wait": "100ms",
        mode: "blocking",
        "cache-max-size": "200k",
        "cache-max-file": "2",
        "cache-compress": "false",
      },
      "i=0; while [ $i -lt 40 ]; do seq $((i*1000)) $((i*1000+999)); i=$((i+1)); usleep 50000; done",
    )
    // The container would have ended long before; where the machine is slow this says nothing, and the lines do.
    await until(() => engine.log().includes("A container waits"))
    await Bun.sleep(1000)
    const { State } = await engine.must<{ State: { Running: boolean } }>("GET", `/containers/${id}/json`)
    expect(State.Running).toBe(true)
    server.mute = false
    await wait(id)
    const numbers = (): Set<string> => new Set(server.events.map(({ record }) => record["log"]!))
    await until(() => numbers().size >= 40_000)
    await server.crash()
  }, 30_000)

  test("fluentd over a unix socket, asynchronously: the container starts before its receiver", async () => {
    const path = join(directory, "fluent.sock")
    const options = { "fluentd-address": `unix://${path}`, "fluentd-async": "true", "fluentd-retry-wait": "50ms" }
    const id = await run("fluentd", options)
    await wait(id)
    const server = new FluentServer()
    await server.listen(path)
    await until(() => server.events.length >= 6)
    const texts = server.events.map(
      ({ record }) => `${record["source"]} ${record["log"]!.length} ${record["partial_ordinal"]}`,
    )
    expect(texts.sort()).toEqual(
      [
        "stdout 3 undefined",
        "stdout 0 undefined",
        "stderr 3 undefined",
        "stdout 16384 1",
        "stdout 3616 2",
        "stdout 3 undefined",
      ].sort(),
    )
    await server.crash()
  })

  test("the driver of a running container changes: what comes next is sent, and no line is twice or lost between two", async () => {
    const [first, second] = [await startGelf(), await startGelf()]
    try {
      const { Id: id } = await engine.must<{ Id: string }>("POST", "/containers/create", {
        Image: "bb",
        Cmd: ["sh", "-c", "i=0; while read x; do i=$((i+1)); echo $i; done"],
        OpenStdin: true,
        HostConfig: { NetworkMode: "none" },
      })
      await engine.must("POST", `/containers/${id}/start`)
      let asked = 0
      const line = async (): Promise<void> => {
        asked++
        const { Id } = await engine.must<{ Id: string }>("POST", `/containers/${id}/exec`, {
          Cmd: ["sh", "-c", "echo >/proc/1/fd/0"],
        })
        await engine.must("POST", `/exec/${Id}/start`, { Detach: true })
        await until(async () => (await read(id)).startsWith(`${asked}\n`))
      }
      const relog = async (port: number): Promise<unknown> => {
        const LogConfig = { Type: "gelf", Config: { "gelf-address": `tcp://127.0.0.1:${port}` } }
        const answer = await engine.must<{ Changes?: { Field: string; Effect: string }[] }>(
          "POST",
          `/containers/${id}/update`,
          { LogConfig },
        )
        return answer.Changes?.map(({ Field, Effect }) => `${Field} ${Effect}`)
      }
      const told = (server: typeof first): unknown[] => server.messages.map((message) => message["short_message"])
      await line()
      expect(await relog(first.port)).toEqual(["LogConfig live"])
      await line()
      await until(() => told(first).length === 1)
      expect(await relog(second.port)).toEqual(["LogConfig live"])
      await line()
      await until(() => told(second).length > 0)
      expect([told(first), told(second)]).toEqual([["2"], ["3"]])
      await engine.must("DELETE", `/containers/${id}?force=1`)
    } finally {
      await first.stop()
      await second.stop()
    }
  })

  test("a container that is removed at its end sends its last lines first", async () => {
    const server = await startGelf()
    try {
      const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create", {
        Image: "bb",
        Cmd: ["sh", "-c", "seq 1 2000"],
        HostConfig: {
          AutoRemove: true,
          NetworkMode: "none",
          LogConfig: { Type: "gelf", Config: { "gelf-address": `tcp://127.0.0.1:${server.port}` } },
        },
      })
      await engine.must("POST", `/containers/${Id}/start`)
      await until(() => server.messages.length === 2000)
      await until(async () => (await engine.call("GET", `/containers/${Id}/json`)).status === 404)
    } finally {
      await server.stop()
    }
  })
})

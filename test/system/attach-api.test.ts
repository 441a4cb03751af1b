// Attach and exec over the API: every combination of streams, several clients at once, the detach keys, WebSockets.
import { describe, expect, test } from "bun:test"
import { testEngine } from "../support/fixture.ts"
import { loopback, RawClient } from "../support/raw-client.ts"

const MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
const RAW = "application/vnd.docker.raw-stream"

describe("attach and exec over the API", () => {
  const engine = testEngine()

  const create = async (name: string, script: string, config: Record<string, unknown> = {}): Promise<string> => {
    const body = { Image: "bb", Cmd: ["sh", "-c", script], HostConfig: { NetworkMode: "none" }, ...config }
    return (await engine.must<{ Id: string }>("POST", `/containers/create?name=${name}`, body)).Id
  }
  const start = (name: string): Promise<unknown> => engine.must("POST", `/containers/${name}/start`)
  const attach = (name: string, query: string, version = ""): Promise<RawClient> =>
    RawClient.upgrade(engine, `${version}/containers/${name}/attach?${query}`)
  const exec = async (name: string, config: Record<string, unknown>): Promise<string> =>
    (await engine.must<{ Id: string }>("POST", `/containers/${name}/exec`, { AttachStdout: true, ...config })).Id
  const actions = async (event: string): Promise<string[]> => {
    const filters = encodeURIComponent(JSON.stringify({ event: [event] }))
    const { text } = await engine.call("GET", `/events?until=${(Date.now() + 50) / 1000}&filters=${filters}`)
    return text.split("\n").filter(Boolean)
  }

  test("each client gets the streams it asked for, and all of them the same bytes", async () => {
    await create("both", "read line; echo out $line; echo err >&2; exit 4", { OpenStdin: true, StdinOnce: true })
    const all = await attach("both", "stream=1&stdin=1&stdout=1&stderr=1")
    const out = await attach("both", "stream=1&stdout=1", "/v1.42")
    const old = await attach("both", "stream=1&stderr=1", "/v1.41")
    const nothing = await attach("both", "stdout=1")
    expect(all.head).toContain(MULTIPLEXED)
    expect(out.head).toContain(MULTIPLEXED)
    expect(old.head).toContain(RAW)
    // Without stream=1 there is nothing to wait for.
    await nothing.ended()
    expect(nothing.text).toBe("")
    await start("both")
    all.write("word\n")
    all.halfClose()
    await Promise.all([all.ended(), out.ended(), old.ended()])
    expect(all.streams).toEqual({ 1: "out word\n", 2: "err\n" })
    expect(out.streams).toEqual({ 1: "out word\n", 2: "" })
    expect(old.streams).toEqual({ 1: "", 2: "err\n" })
    const past = await attach("both", "logs=1&stdout=1&stderr=1")
    await past.ended()
    expect(past.streams).toEqual({ 1: "out word\n", 2: "err\n" })
    expect(await actions("attach")).toHaveLength(5)
    expect(await actions("detach")).toHaveLength(0)
    await engine.must("DELETE", "/containers/both")
  })

  test("the end of a client's input ends a process's once, where that was asked for, and never else", async () => {
    await create("once", "cat; echo over", { OpenStdin: true, StdinOnce: true })
    await create("kept", "cat; echo over", { OpenStdin: true })
    await Promise.all([start("once"), start("kept")])
    const [once, kept] = await Promise.all(["once", "kept"].map((name) => attach(name, "stream=1&stdin=1&stdout=1")))
    for (const client of [once, kept]) client?.write("a\n")
    await Promise.all([once?.contains("a\n"), kept?.contains("a\n")])
    for (const client of [once, kept]) client?.halfClose()
    await Promise.all([once?.ended(), kept?.ended()])
    expect(once?.streams[1]).toBe("a\nover\n")
    expect(kept?.streams[1]).toBe("a\n")
    const again = await attach("kept", "stream=1&stdin=1&stdout=1")
    again.write("b\n")
    await again.contains("b\n")
    again.close()
    for (const name of ["once", "kept"]) await engine.must("DELETE", `/containers/${name}?force=1`)
  })

  test("a terminal is raw, and its detach keys are the query's", async () => {
    await create("tty", "stty raw -echo; echo up; cat", { OpenStdin: true, Tty: true })
    await start("tty")
    const wrong = await engine.call("POST", "/containers/tty/attach?detachKeys=ctrl-pp&stream=1")
    expect(wrong.status).toBe(400)
    expect(wrong.text).toMatch(/^Invalid detach keys \(ctrl-pp\) provided.*\r\n$/)
    const client = await attach("tty", "stream=1&logs=1&stdin=1&stdout=1&detachKeys=ctrl-x,y")
    expect(client.head).toContain(RAW)
    await client.contains("up")
    client.write("a\x10\x11b\x18z")
    await client.contains("a\x10\x11b\x18z")
    client.write("\x18y")
    await client.ended()
    expect(await actions("detach")).toHaveLength(1)
    expect(await engine.must("GET", "/containers/tty/json")).toMatchObject({ State: { Running: true } })
    // A size, and what is no size.
    expect((await engine.call("POST", "/containers/tty/resize?h=20&w=70")).status).toBe(200)
    const resized = (await actions("resize")).map((line) => JSON.parse(line).Actor.Attributes)
    expect(resized).toMatchObject([{ height: "20", width: "70" }])
    expect((await engine.call("POST", "/containers/tty/resize?h=x&w=70")).json).toEqual({
      message: 'invalid resize height "x": invalid syntax',
    })
    await engine.must("POST", "/containers/tty/pause")
    const paused = await engine.call("POST", "/containers/tty/attach?stream=1")
    expect([paused.status, paused.text]).toEqual([
      409,
      "container tty is paused, unpause the container before attach\r\n",
    ])
    const nobody = await fetch("http://dhow/containers/nobody/attach", { unix: engine.socket, method: "POST" })
    expect([nobody.status, nobody.headers.get("content-type")]).toEqual([404, RAW])
    expect(await nobody.text()).toBe("No such container: nobody\r\n")
    await engine.must("DELETE", "/containers/tty?force=1")
  })

  test("a WebSocket carries what a browser types and sees", async () => {
    await create("ws", "read line; echo out $line; echo err >&2; exit 4", { OpenStdin: true, StdinOnce: true })
    const { port, stop } = loopback(engine)
    try {
      const query = "stream=1&stdin=1&stdout=1&stderr=1"
      const open = async (
        version: string,
      ): Promise<{ socket: WebSocket; text: string; kinds: Set<string>; closed: Promise<number> }> => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}${version}/containers/ws/attach/ws?${query}`)
        socket.binaryType = "arraybuffer"
        const seen = { socket, text: "", kinds: new Set<string>(), closed: Promise.resolve(0) }
        socket.onmessage = ({ data }) => {
          seen.kinds.add(typeof data)
          seen.text += typeof data === "string" ? data : Buffer.from(data as ArrayBuffer).toString()
        }
        seen.closed = new Promise((resolve) => {
          socket.onclose = ({ code }) => resolve(code)
        })
        await new Promise((resolve, reject) => {
          socket.onopen = resolve
          socket.onerror = reject
        })
        return seen
      }
      const [binary, text] = [await open("/v1.45"), await open("/v1.27")]
      await start("ws")
      binary.socket.send("word\n")
      expect(await binary.closed).toBe(1000)
      expect(await text.closed).toBe(1000)
      expect(binary.text.split("\n").sort()).toEqual(["", "err", "out word"])
      expect([...binary.kinds]).toEqual(["object"])
      expect(text.text.split("\n").sort()).toEqual(["", "err", "out word"])
      expect([...text.kinds]).toEqual(["string"])
      const none = await engine.call("GET", "/containers/nosuch/attach/ws")
      expect(none.status).toBe(404)
    } finally {
      stop()
    }
    await engine.must("DELETE", "/containers/ws")
  })

  test("an exec: user, directory, environment, size before its start, keys, what inspect says of it", async () => {
    await create("box", "sleep 600", { Env: ["FROM=run"], WorkingDir: "/tmp" })
    await start("box")
    const id = await exec("box", {
      Cmd: ["sh", "-c", "stty size; stty raw -echo; echo $(id -u):$(id -g) $(pwd) $FROM $X; cat; exit 5"],
      User: "12:34",
      WorkingDir: "/etc",
      Env: ["X=1"],
      Tty: true,
      AttachStdin: true,
      DetachKeys: "ctrl-a,d",
    })
    expect(await engine.must("GET", `/exec/${id}/json`)).toMatchObject({
      ID: id,
      Running: false,
      ExitCode: null,
      Pid: 0,
      DetachKeys: "AWQ=",
      OpenStdin: true,
      OpenStdout: true,
      OpenStderr: false,
      CanRemove: false,
      ProcessConfig: { tty: true, entrypoint: "sh", arguments: expect.any(Array), privileged: false, user: "12:34" },
    })
    await engine.must("POST", `/exec/${id}/resize?h=22&w=66`)
    const client = await RawClient.upgrade(engine, `/exec/${id}/start`, JSON.stringify({ Tty: true }))
    await client.contains("12:34 /etc run 1")
    expect(client.text).toStartWith("22 66\r\n")
    const again = await engine.call("POST", `/exec/${id}/start`, { Detach: true })
    expect(again).toMatchObject({ status: 409, json: { message: `exec command ${id} is already running` } })
    // The connection is the stream's by the time that Docker finds this out, and so the answer is no failure.
    for (const [tty, head] of [
      [true, ""],
      [false, "\x01\0\0\0\0\0\0b"],
    ] as const) {
      const second = await engine.call("POST", `/exec/${id}/start`, { Tty: tty })
      expect([second.status, second.text]).toEqual([200, `${head}exec command ${id} is already running\r\n`])
    }
    client.write("\x01d")
    await client.ended()
    expect(await actions("exec_detach")).toHaveLength(1)
    expect(await engine.must("GET", `/exec/${id}/json`)).toMatchObject({ Running: true, Pid: expect.any(Number) })
  })

  test("an exec that cannot be is refused in Docker's words", async () => {
    const { Id: box } = await engine.must<{ Id: string }>("GET", "/containers/box/json")
    const refused = async (name: string, config: Record<string, unknown>): Promise<unknown> => {
      const { status, json } = await engine.call("POST", `/containers/${name}/exec`, config)
      return [status, (json as { message: string }).message]
    }
    expect(await refused("box", {})).toEqual([400, "No exec command specified"])
    expect(await refused("box", { Cmd: ["true"], User: "nobody-here" })).toEqual([
      400,
      "unable to find user nobody-here: no matching entries in passwd file",
    ])
    expect(await refused("box", { Cmd: ["true"], DetachKeys: "ctrl-pp" })).toMatchObject([
      400,
      expect.stringContaining("Invalid escape keys (ctrl-pp) provided"),
    ])
    expect(await refused("nosuch", { Cmd: ["true"] })).toEqual([404, "No such container: nosuch"])
    const early = await exec("box", { Cmd: ["true"] })
    await engine.must("POST", "/containers/box/pause")
    expect(await refused("box", { Cmd: ["true"] })).toEqual([
      409,
      "Container box is paused, unpause the container before exec",
    ])
    expect((await engine.call("POST", `/exec/${early}/start`, { Detach: true })).json).toEqual({
      message: `Container ${box} is paused, unpause the container before exec`,
    })
    await engine.must("POST", "/containers/box/kill")
    await engine.must("POST", "/containers/box/wait")
    expect(await refused("box", { Cmd: ["true"] })).toEqual([409, `container ${box} is not running`])
    // What was not begun goes with the run that it was made for.
    for (const [method, path] of [
      ["POST", `/exec/${early}/start`],
      ["GET", `/exec/${early}/json`],
    ] as const) {
      const { status, json } = await engine.call(method, path, method === "POST" ? {} : undefined)
      expect([status, json]).toEqual([404, { message: `No such exec instance: ${early}` }])
    }
    const restarting = await create("again", "exit 1", {
      HostConfig: { NetworkMode: "none", RestartPolicy: { Name: "always" } },
    })
    await start("again")
    const deadline = Date.now() + 10_000
    let answer: unknown
    // Few, and with pauses: execs that are never started are forgotten when there are many.
    do {
      await Bun.sleep(30)
      answer = await refused("again", { Cmd: ["true"] })
    } while (Date.now() < deadline && !JSON.stringify(answer).includes("is restarting"))
    expect(answer).toEqual([409, `Container ${restarting} is restarting, wait until the container is running`])
    await engine.must("DELETE", "/containers/again?force=1")
    await engine.must("DELETE", "/containers/box")
  })
})

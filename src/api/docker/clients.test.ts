// The clients that people use, against the API over containers that are plain processes.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import Docker from "dockerode"
import { type Server, serve } from "../serve.ts"
import { hostEngine } from "./test-host-engine.ts"

const directory = mkdtempSync(join(tmpdir(), "dhow-clients-"))
const socketPath = join(directory, "api.sock")
let server: Server
beforeAll(async () => {
  server = await serve({ engine: hostEngine(), hosts: [`unix://${socketPath}`], version: "0" })
})
afterAll(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

const ECHO = ["sh", "-c", "cat; echo error >&2; exit 7"]

describe.skipIf(Bun.which("docker") === null)("the docker CLI", () => {
  async function docker(args: readonly string[], input = ""): Promise<{ out: string; err: string; status: number }> {
    const child = Bun.spawn(["docker", ...args], {
      env: { ...process.env, DOCKER_HOST: `unix://${socketPath}`, DOCKER_CONFIG: directory },
      stdin: Buffer.from(input),
      stdout: "pipe",
      stderr: "pipe",
    })
    const [out, err, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    return { out, err, status }
  }

  test("run -i passes input, keeps output and error apart, and ends with the exit status", async () => {
    expect(await docker(["run", "-i", "--rm", "x", ...ECHO], "typed\n")).toEqual({
      out: "typed\n",
      err: "error\n",
      status: 7,
    })
  })

  test("run takes 50 MB without losing a byte", async () => {
    const { out, status } = await docker(["run", "--rm", "x", "sh", "-c", "head -c 50000000 /dev/zero | tr '\\0' x"])
    expect({ length: out.length, status }).toEqual({ length: 50_000_000, status: 0 })
  })

  test("exec, logs -f, wait and rm work on a container in the background", async () => {
    await docker(["run", "-d", "--name", "bg", "x", "sh", "-c", "echo one; read line; echo two"])
    const followed = docker(["logs", "-f", "bg"])
    expect(await docker(["exec", "-i", "bg", ...ECHO], "typed\n")).toEqual({
      out: "typed\n",
      err: "error\n",
      status: 7,
    })
    expect(await docker(["attach", "bg"], "go on\n")).toEqual({ out: "two\n", err: "", status: 0 })
    expect((await followed).out).toBe("one\ntwo\n")
    expect((await docker(["wait", "bg"])).out).toBe("0\n")
    expect((await docker(["rm", "bg"])).status).toBe(0)
    expect(await docker(["rm", "bg"])).toMatchObject({
      err: "Error response from daemon: No such container: bg\n",
      status: 1,
    })
  })
})

describe("dockerode", () => {
  const client = new Docker({ socketPath })

  async function collect(stream: NodeJS.ReadableStream): Promise<{ out: string; err: string }> {
    const out = new PassThrough()
    const err = new PassThrough()
    client.modem.demuxStream(stream, out, err)
    const closed = new Promise((resolve) => stream.once("end", resolve).once("close", resolve))
    const text = [out, err].map((side) => new Response(side as unknown as ReadableStream).text())
    await closed
    out.end()
    err.end()
    const [first = "", second = ""] = await Promise.all(text)
    return { out: first, err: second }
  }

  const create = (Cmd: string[]): Promise<Docker.Container> =>
    client.createContainer({ Image: "x", Cmd, OpenStdin: true, StdinOnce: true })

  test("attaches with an upgrade, input and half-close", async () => {
    const container = await create(ECHO)
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
    const collected = collect(stream)
    await container.start()
    stream.end("typed\n")
    expect(await collected).toEqual({ out: "typed\n", err: "error\n" })
    expect(await container.wait()).toEqual({ StatusCode: 7 })
  })

  test("attaches without an upgrade", async () => {
    const container = await create(["sh", "-c", "head -n1; echo error >&2"])
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true })
    const collected = collect(stream)
    await container.start()
    stream.write("typed\n")
    expect(await collected).toEqual({ out: "typed\n", err: "error\n" })
  })

  test.each([
    { hijack: true, stdin: true },
    { hijack: false, stdin: true },
    { hijack: false, stdin: false },
  ])("executes with %o", async (options) => {
    const container = await create(["sleep", "60"])
    await container.start()
    const exec = await container.exec({
      Cmd: options.stdin ? ["head", "-n1"] : ["echo", "typed"],
      AttachStdin: options.stdin,
      AttachStdout: true,
      AttachStderr: true,
    })
    const stream = await exec.start(options)
    const collected = collect(stream)
    if (options.stdin) stream.write("typed\n")
    expect((await collected).out).toBe("typed\n")
    expect((await exec.inspect()).ExitCode).toBe(0)
    await container.remove({ force: true })
  })
})

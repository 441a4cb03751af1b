// dhow's command line against a real engine: streams, exit statuses, signals, terminal.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { dhow as cli, MAIN, type Outcome } from "./command-line.ts"

const usable = process.getuid?.() === 0 && existsSync("/bin/busybox")
const IMAGE = "busybox"
let engine: TestEngine
let environment: Record<string, string> = {}

const dhow = (...args: string[]): Promise<Outcome> => cli(args, { environment })
const run = (...args: string[]): Promise<Outcome> => dhow("run", "--rm", "--net", "none", ...args)

beforeAll(async () => {
  if (!usable) return
  engine = new TestEngine()
  await engine.start()
  environment = { DHOW_HOST: `unix://${engine.socket}` }
  await engine.must("POST", `/images/create?fromSrc=-&repo=${IMAGE}`, busyboxTar())
}, 30_000)

afterAll(async () => {
  if (usable) await engine.destroy()
}, 30_000)

test.skipIf(!usable)("run keeps output and errors apart, and ends with the container's status", async () => {
  const outcome = await run(IMAGE, "sh", "-c", "echo out; echo err >&2; exit 3")
  expect(outcome).toEqual({ status: 3, stdout: "out\n", stderr: "err\n" })
})

test.skipIf(!usable)("run -i passes standard input on, to its end", async () => {
  const input = "x".repeat(300_000)
  const outcome = await cli(["run", "--rm", "-i", "--net", "none", IMAGE, "wc", "-c"], { environment, input })
  expect(outcome.stdout.trim()).toBe("300000")
})

test.skipIf(!usable)("run ends with 127, 126 or 125 as docker does", async () => {
  expect((await run(IMAGE, "nope")).status).toBe(127)
  expect((await run(IMAGE, "/etc")).status).toBe(126)
  expect((await run("--memory", "12x", IMAGE)).status).toBe(125)
  const missing = await run("--pull", "never", "absent/image", "true")
  expect(missing.status).toBe(125)
  expect(missing.stderr).toStartWith("dhow: No such image: absent/image")
})

test.skipIf(!usable)("run gives the container an init unless it is told not to", async () => {
  expect((await run(IMAGE, "sh", "-c", "cat /proc/1/comm; exit 0")).stdout).not.toBe("cat\n")
  expect((await run("--init=false", IMAGE, "cat", "/proc/1/comm")).stdout).toBe("cat\n")
})

test.skipIf(!usable)(
  "a container in the background is listed, inspected, executed in, waited for, removed",
  async () => {
    const started = await dhow("run", "-d", "--name", "web", "--net", "none", IMAGE, "sh", "-c", "echo up; sleep 100")
    const id = started.stdout.trim()
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect((await dhow("ps", "--format", "{{.Names}} {{.State}}")).stdout).toBe("web running\n")
    expect((await dhow("inspect", "-f", "{{.State.Running}} {{.Id}}", "web")).stdout).toBe(`true ${id}\n`)
    expect(await dhow("exec", "web", "sh", "-c", "echo in; exit 4")).toEqual({ status: 4, stdout: "in\n", stderr: "" })
    expect((await dhow("logs", "web")).stdout).toBe("up\n")
    const waiting = dhow("wait", "web")
    expect((await dhow("kill", "web")).stdout).toBe("web\n")
    expect((await waiting).stdout).toBe("137\n")
    expect((await dhow("rm", "web", "absent")).stderr).toBe("dhow: No such container: absent\n")
    expect((await dhow("ps", "-aq")).stdout).toBe("")
  },
)

test.skipIf(!usable)("signals go to the container that is attached", async () => {
  const script = "trap 'echo stopped; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
  const child = Bun.spawn([process.execPath, MAIN, "run", "--rm", "--net", "none", IMAGE, "sh", "-c", script], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
  })
  let output = ""
  for await (const chunk of child.stdout) {
    output += Buffer.from(chunk).toString()
    if (output === "ready\n") child.kill("SIGTERM")
  }
  expect(output).toBe("ready\nstopped\n")
  expect(await child.exited).toBe(9)
})

test.skipIf(!usable)("a reader that goes away ends the program, not the container", async () => {
  const command = `"${process.execPath}" "${MAIN}" run --name pipe --net none ${IMAGE} yes | head -1`
  const child = Bun.spawn(["sh", "-c", command], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  })
  expect(await new Response(child.stdout).text()).toBe("y\n")
  expect(await new Response(child.stderr).text()).toBe("")
  expect((await dhow("ps", "-q", "--filter", "name=pipe")).stdout).not.toBe("")
  await dhow("rm", "-f", "pipe")
})

test.skipIf(!usable || Bun.which("script") === null)("run -it gives a terminal of the user's size", async () => {
  const inner = `stty cols 91 rows 27; "${process.execPath}" "${MAIN}" run --rm -it --net none ${IMAGE} sh -c "stty size; exit 7"`
  const child = Bun.spawn(["script", "-qec", inner, "/dev/null"], {
    env: { ...process.env, ...environment },
    stdin: "pipe",
    stdout: "pipe",
  })
  expect(await new Response(child.stdout).text()).toContain("27 91")
  expect(await child.exited).toBe(7)
})

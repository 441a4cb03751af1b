// dhow's own command line over a real engine: the main commands, exit statuses, streams, a terminal, its own init.
import { afterEach, beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { dhow } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()
const client = dhow(engine)
const field = (name: string, template: string) => client.ok("inspect", "-f", template, name)

afterEach(async () => {
  const left = (await client.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (left.length > 0) await client.ok("rm", "-fv", ...left)
})

describe("dhow run", () => {
  test("keeps the streams apart, passes input, gives the status", async () => {
    const run = await client.run(["run", "--rm", "-i", "bb", "sh", "-c", "cat; echo err >&2; exit 42"], {
      stdin: "in\n",
    })
    expect(run).toEqual({ status: 42, stdout: "in\n", stderr: "err\n" })
  })

  test("gives 125, 126 and 127 as Docker does, with one clear line", async () => {
    for (const [status, args, text] of [
      [125, ["--memory", "1k", "bb", "true"], "Minimum memory limit allowed is 6MB"],
      [125, ["--no-such-flag", "bb", "true"], "--no-such-flag"],
      [125, ["--pull", "never", "no-such-image", "true"], "No such image: no-such-image"],
      [126, ["bb", "/etc/passwd"], "permission denied"],
      [127, ["bb", "no-such-program"], "executable file not found in $PATH"],
      [126, ["-v", "/etc/passwd:/mounted", "bb", "/mounted"], "permission denied"],
      [127, ["-v", "/etc:/mounted", "bb", "/mounted/no-such-program"], "no such file or directory"],
      [127, ["--tmpfs", "/mounted", "bb", "no-such-program"], "executable file not found in $PATH"],
      [125, ["--isolation", "hyperv", "bb", "true"], "invalid isolation (hyperv): linux only supports 'default'"],
      [125, ["--uts", "host", "--hostname", "h", "bb", "true"], "conflicting options: hostname and the UTS mode"],
      [125, ["--stop-signal", "FOO", "bb", "true"], "invalid signal: FOO"],
      [125, ["--volume-driver", "no-such", "-v", "v:/v", "bb", "true"], 'plugin "no-such" not found'],
    ] as const) {
      const run = await client.run(["run", "--rm", ...args])
      expect(`${args.join(" ")}: ${run.status}`).toBe(`${args.join(" ")}: ${status}`)
      expect(run.stderr).toContain(text)
      expect(run.stdout).toBe("")
    }
    expect(await client.ok("ps", "-aq")).toBe("")
  })

  test("mounts a file read-only, and a directory without what is mounted below it", async () => {
    const file = await client.run(["run", "--rm", "-v", "/etc/hostname:/f:ro", "bb", "sh", "-c", "cat /f; echo >/f"])
    expect(file.stdout).not.toBe("")
    expect(file.stderr).toContain("Read-only file system")
    const mount = "type=bind,src=/dev,dst=/x,bind-recursive=disabled"
    expect(await client.ok("run", "--rm", "--mount", mount, "bb", "sh", "-c", "grep -c ' /x' /proc/mounts")).toBe("1")
  })

  test("limits swap with the memory, and inspect shows every limit", async () => {
    const id = await client.ok("create", "--memory", "64m", "bb", "true")
    expect(await field(id, "{{.HostConfig.MemorySwap}} {{.HostConfig.CpusetCpus}}.{{.HostConfig.NanoCpus}}")).toBe(
      "134217728 .0",
    )
  })

  test("gives 128+n for a signal, and passes its own signals on", async () => {
    expect((await client.run(["run", "--rm", "bb", "sh", "-c", "kill -TERM $$"])).status).toBe(143)
    const run = client.spawn(["run", "--rm", "--name", "long", "bb", "sh", "-c", "echo up; exec sleep 60"])
    await run.stdout.contains("up\n")
    run.kill("SIGTERM")
    expect(await run.ended()).toBe(143)
  })

  test("asks for an init by itself, and not where it is told otherwise or the program is one", async () => {
    const init = async (...flags: string[]) => {
      const id = await client.ok("create", ...flags)
      return await field(id, "{{.HostConfig.Init}}")
    }
    expect(await init("bb", "sleep", "1")).toBe("true")
    expect(await init("--init=false", "bb", "sleep", "1")).toBe("false")
    expect(await init("--init", "bb", "/sbin/init")).toBe("true")
    expect(await init("bb", "tini", "--", "sleep", "1")).toBe("false")
    expect(await init("--entrypoint", "/usr/bin/dumb-init", "bb", "sleep", "1")).toBe("false")
    const orphan =
      "orphan=$(sh -c 'sleep 0.05 >/dev/null & echo $!'); while test -e /proc/$orphan; do usleep 20000; done; echo reaped"
    expect(await client.ok("run", "--rm", "bb", "sh", "-c", orphan)).toBe("reaped")
  })

  test("-it has a terminal with its size, detach keys and attach", async () => {
    using first = client.terminal(["run", "-it", "--name", "kept", "bb", "sh"], { columns: 77, rows: 27 })
    await first.screen.contains("# ")
    first.type("until stty size | grep '27 77'; do :; done\r")
    await first.screen.contains("\n27 77\r\n")
    first.resize(60, 20)
    first.type("until stty size | grep '20 60'; do :; done; mark=here\r")
    await first.screen.contains(/\n20 60\r\n.*# /s)
    first.type("\x10\x11")
    expect(await first.ended()).toBe(0)
    using second = client.terminal(["attach", "kept"])
    second.type("\r")
    await second.screen.contains("# ")
    second.type("echo it is $mark; exit 3\r")
    await second.screen.contains("it is here")
    expect(await second.ended()).toBe(3)
  })

  test("Ctrl-C ends a program in a terminal with 130", async () => {
    using run = client.terminal(["run", "--rm", "-it", "bb", "sh", "-c", "echo up; exec sleep 60"])
    await run.screen.contains("up")
    run.type("\x03")
    expect(await run.ended()).toBe(130)
  })

  test("shows 20 MB whole", async () => {
    const run = await client.run(["run", "--rm", "bb", "sh", "-c", "yes | head -c 20000000"])
    expect(run.stdout.length).toBe(20_000_000)
  })
})

describe("dhow with a running container", () => {
  beforeAll(async () => {
    await client.ok("version")
  })

  test("exec: streams, status, settings, missing program", async () => {
    await client.ok("run", "-d", "--name", "box", "bb", "sleep", "60")
    const exec = (...args: string[]) => client.run(["exec", ...args])
    expect(await exec("box", "sh", "-c", "echo o; echo e >&2; exit 7")).toEqual({
      status: 7,
      stdout: "o\n",
      stderr: "e\n",
    })
    expect(
      (await exec("-e", "A=b", "-w", "/etc", "-u", "5", "box", "sh", "-c", "echo $A $(pwd) $(id -u)")).stdout,
    ).toBe("b /etc 5\n")
    expect((await exec("box", "no-such-program")).status).toBe(127)
    expect((await exec("no-such", "true")).status).toBe(1)
    expect((await client.run(["exec", "-i", "box", "wc", "-c"], { stdin: "12345" })).stdout).toBe("5\n")
  })

  test("logs, ps, top, port, rename, pause, stop, start, restart, wait, kill, rm", async () => {
    await client.ok("run", "-d", "--name", "one", "-p", "127.0.0.1::80", "bb", "sh", "-c", "echo hi; exec sleep 60")
    const logs = client.spawn(["logs", "-f", "one"])
    await logs.stdout.contains("hi\n")
    expect(await client.ok("ps", "--format", "{{.Names}} {{.State}}")).toBe("one running")
    expect(await client.ok("ps")).toMatch(/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/)
    expect(await client.ok("top", "one")).toContain("sleep 60")
    expect(await client.ok("port", "one")).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+$/)
    await client.ok("rename", "one", "two")
    expect(await client.ok("pause", "two")).toBe("two")
    expect(await field("two", "{{.State.Status}}")).toBe("paused")
    await client.ok("unpause", "two")
    const wait = client.spawn(["wait", "two"])
    expect((await client.run(["rm", "two"])).stderr).toContain("cannot remove container")
    expect(await client.ok("stop", "-t", "1", "two")).toBe("two")
    expect(await wait.ended()).toBe(0)
    expect(wait.stdout.text).toMatch(/^(143|137)\n$/)
    expect(await logs.ended()).toBe(0)
    expect(await client.ok("start", "two")).toBe("two")
    expect(await client.ok("restart", "-t", "0", "two")).toBe("two")
    expect(await client.ok("kill", "two")).toBe("two")
    expect(await client.ok("rm", "two")).toBe("two")
    expect((await client.run(["rm", "two"])).status).toBe(1)
    expect((await client.run(["logs", "two"])).stderr).toContain("No such container: two")
  })

  test("events, info, version, images, volumes and networks are shown", async () => {
    const since = (Date.now() / 1000 - 1).toFixed(3)
    await client.ok("run", "--rm", "bb", "true")
    const until = (Date.now() / 1000 + 0.5).toFixed(3)
    const events = await client.ok(
      "events",
      "--since",
      since,
      "--until",
      until,
      "--filter",
      "type=container",
      "--format",
      "{{.Action}}",
    )
    expect(events.split("\n")).toEqual(expect.arrayContaining(["create", "start", "die", "destroy"]))
    expect(await client.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).toContain("bb:latest")
    expect(await client.ok("volume", "create", "vol")).toBe("vol")
    expect(await client.ok("volume", "ls", "-q")).toBe("vol")
    expect(await client.ok("volume", "rm", "vol")).toBe("vol")
    expect(await client.ok("network", "ls", "--format", "{{.Name}}")).toContain("bridge")
    expect(await client.ok("info")).toContain("crun")
    expect(await client.ok("version", "--format", "{{.Server.Version}}")).toMatch(/^\d+\.\d+\.\d+/)
  })

  test("images travel: save, load, import, tag, rmi, history", async () => {
    const file = join(engine.root, "dhow.tar")
    await client.ok("tag", "bb", "moved:one")
    await client.ok("save", "-o", file, "moved:one")
    await client.ok("rmi", "moved:one")
    expect(await client.ok("load", "-i", file)).toContain("Loaded image: moved:one")
    expect(await client.ok("history", "-q", "moved:one")).not.toBe("")
    expect(await client.ok("rmi", "moved:one")).toContain("Untagged: moved:one")
  })
})

describe("dhow's help", () => {
  test("a typo gets a suggestion, and every command has help in 80 columns", async () => {
    const typo = await client.run(["rnu", "bb"])
    expect(typo.status).not.toBe(0)
    expect(typo.stderr).toContain("run")
    const later = await client.run(["build", "."])
    expect(later.status).toBe(1)
    expect(later.stderr).toContain('"dhow build" is not available in this version')
    for (const command of [["--help"], ["run", "--help"], ["exec", "--help"], ["ps", "--help"], ["volume", "--help"]]) {
      const { status, stdout } = await client.run(command)
      expect(status).toBe(0)
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80)
    }
  })
})

// A container's life through the real client: ps, inspect, wait, kill, stop, restart, rename, top, pause, rm.
import { afterEach, describe, expect, test } from "bun:test"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("a container's life", () => {
  const engine = testEngine()
  const client = docker(engine)
  const field = (name: string, template: string) => client.ok("inspect", "-f", template, name)
  const sleeper = (name: string, ...flags: string[]) =>
    client.ok("run", "-d", "--name", name, ...flags, "bb", "sleep", "600")

  afterEach(async () => {
    const left = (await client.ok("ps", "-aq")).split("\n").filter(Boolean)
    if (left.length > 0) await client.ok("rm", "-fv", ...left)
  })

  test("stop sends SIGTERM, and the status is the program's", async () => {
    const script = "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done"
    await client.ok("run", "-d", "--name", "polite", "bb", "sh", "-c", script)
    const logs = client.spawn(["logs", "-f", "polite"])
    await logs.stdout.contains("up")
    expect(await client.ok("stop", "polite")).toBe("polite")
    expect(await field("polite", "{{.State.Status}} {{.State.ExitCode}}")).toBe("exited 3")
    await logs.ended()
  })

  test("stop -t 1 kills what ignores SIGTERM, with 137", async () => {
    await sleeper("deaf")
    const begun = Date.now()
    await client.ok("stop", "-t", "1", "deaf")
    expect(Date.now() - begun).toBeGreaterThanOrEqual(1000)
    expect(await field("deaf", "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}")).toBe("exited 137 false")
    expect(await client.ok("stop", "deaf")).toBe("deaf")
  })

  test("--stop-signal and stop -s choose the signal", async () => {
    const script = "trap 'exit 4' USR1; trap 'exit 5' HUP; echo up; while :; do sleep 0.05; done"
    for (const [flags, status] of [
      [[], "4"],
      [["-s", "HUP"], "5"],
    ] as const) {
      await client.ok("run", "-d", "--name", "chosen", "--stop-signal", "USR1", "bb", "sh", "-c", script)
      const logs = client.spawn(["logs", "-f", "chosen"])
      await logs.stdout.contains("up")
      await client.ok("stop", ...flags, "chosen")
      expect(await field("chosen", "{{.State.ExitCode}}")).toBe(status)
      await logs.ended()
      await client.ok("rm", "chosen")
    }
  })

  test("kill -s delivers a signal by name and by number, and a wrong one is refused", async () => {
    const script = "trap 'echo usr1' USR1; trap 'echo usr2' USR2; echo up; while :; do sleep 0.05; done"
    await client.ok("run", "-d", "--name", "listener", "bb", "sh", "-c", script)
    const logs = client.spawn(["logs", "-f", "listener"])
    await logs.stdout.contains("up")
    await client.ok("kill", "-s", "USR1", "listener")
    await logs.stdout.contains("usr1")
    await client.ok("kill", "-s", "12", "listener")
    await logs.stdout.contains("usr2")
    const wrong = await client.run(["kill", "-s", "NOSUCH", "listener"])
    expect(wrong.stderr).toContain("invalid signal: NOSUCH")
    await client.ok("kill", "listener")
    expect(await field("listener", "{{.State.ExitCode}}")).toBe("137")
    const again = await client.run(["kill", "listener"])
    const id = await field("listener", "{{.Id}}")
    expect(again.stderr).toBe(
      `Error response from daemon: cannot kill container: listener: container ${id} is not running\n`,
    )
    await logs.ended()
  })

  test("wait gives the status of each, now or later", async () => {
    await client.ok("run", "-di", "--name", "one", "bb", "sh", "-c", "read x; exit 7")
    const wait = client.spawn(["wait", "one", "two"])
    await client.ok("run", "-d", "--name", "two", "bb", "sh", "-c", "exit 8")
    await client.run(["attach", "one"], { stdin: "\n" })
    expect(await wait.ended()).toBe(0)
    expect(wait.stdout.text).toBe("7\n8\n")
    expect(await client.ok("wait", "one")).toBe("7")
  })

  test("restart runs it anew, with a new process", async () => {
    await sleeper("anew")
    const before = await field("anew", "{{.State.Pid}} {{.State.StartedAt}}")
    expect(await client.ok("restart", "-t", "0", "anew")).toBe("anew")
    const after = await field("anew", "{{.State.Pid}} {{.State.StartedAt}}")
    expect(after.split(" ")[0]).not.toBe(before.split(" ")[0])
    expect(after.split(" ")[1]! > before.split(" ")[1]!).toBe(true)
    expect(await field("anew", "{{.State.Running}} {{.RestartCount}}")).toBe("true 0")
  })

  test("what a container wrote is still there after a stop and a start", async () => {
    await client.ok("run", "--name", "writer", "bb", "sh", "-c", "cat /tmp/mark 2>/dev/null; echo kept > /tmp/mark")
    expect(await client.ok("start", "-a", "writer")).toBe("kept")
  })

  test("rename moves the name, and refuses one that is taken", async () => {
    await sleeper("old")
    await client.ok("rename", "old", "new")
    expect(await field("new", "{{.Name}}")).toBe("/new")
    await client.ok("create", "--name", "old", "bb", "true")
    const { status, stderr } = await client.run(["rename", "new", "old"])
    expect(status).toBe(1)
    expect(stderr).toContain('The container name "/old" is already in use by container')
  })

  test("top shows the processes, with ps options of one's own", async () => {
    await sleeper("shown")
    const plain = await client.ok("top", "shown")
    expect(plain).toMatch(/^UID +PID +PPID +C +STIME +TTY +TIME +CMD\nroot .* sleep 600$/)
    const chosen = await client.ok("top", "shown", "-o", "pid,args")
    expect(chosen.split("\n")[0]).toMatch(/^PID +COMMAND$/)
    expect(chosen.split("\n")[1]).toContain(await field("shown", "{{.State.Pid}}"))
  })

  test("pause stops the processes, unpause lets them go on", async () => {
    await client.ok("run", "-d", "--name", "still", "bb", "sh", "-c", "while :; do echo x; sleep 0.02; done")
    expect(await client.ok("pause", "still")).toBe("still")
    expect(await client.ok("ps", "--format", "{{.Status}}")).toMatch(/^Up .* \(Paused\)$/)
    expect(await field("still", "{{.State.Status}} {{.State.Paused}} {{.State.Running}}")).toBe("paused true true")
    const before = await client.ok("logs", "still")
    expect(await client.ok("logs", "still")).toBe(before)
    const twice = await client.run(["pause", "still"])
    expect(twice.stderr).toMatch(/Container [0-9a-f]{64} is already paused/)
    const logs = client.spawn(["logs", "-f", "--tail", "0", "still"])
    await client.ok("unpause", "still")
    await logs.stdout.contains("x\n")
    expect((await client.run(["unpause", "still"])).stderr).toContain("is not paused")
    await client.ok("pause", "still")
    await client.ok("rm", "-f", "still")
    await logs.ended()
  })

  test("stop of a paused container works", async () => {
    await sleeper("frozen")
    await client.ok("pause", "frozen")
    await client.ok("stop", "-t", "0", "frozen")
    expect(await field("frozen", "{{.State.Status}}")).toBe("exited")
  })

  test("rm refuses a running container in Docker's words, rm -f does not", async () => {
    await sleeper("busy")
    const { status, stderr } = await client.run(["rm", "busy"])
    expect(status).toBe(1)
    expect(stderr).toBe(
      'Error response from daemon: cannot remove container "busy": container is running: stop the container before removing or force remove\n',
    )
    expect(await client.ok("rm", "-f", "busy")).toBe("busy")
    expect((await client.run(["rm", "busy"])).stderr).toBe("Error response from daemon: No such container: busy\n")
  })

  test("rm -v takes the anonymous volumes along, rm does not, and never a named one", async () => {
    const volumes = () => client.ok("volume", "ls", "-q")
    await client.ok("create", "--name", "first", "-v", "/a", "-v", "named:/b", "bb", "true")
    await client.ok("rm", "-v", "first")
    expect(await volumes()).toBe("named")
    await client.ok("create", "--name", "second", "-v", "/a", "bb", "true")
    await client.ok("rm", "second")
    expect((await volumes()).split("\n")).toHaveLength(2)
    await client.ok("volume", "rm", ...(await volumes()).split("\n"))
    expect(await client.ok("run", "--rm", "-v", "/a", "bb", "echo", "x")).toBe("x")
    await client.ok("ps")
    expect(await volumes()).toBe("")
  })

  test("ps filters, formats and measures", async () => {
    await sleeper("up", "--label", "tier=web", "-e", "A=1")
    await client.run([
      "run",
      "--name",
      "down",
      "--label",
      "tier=db",
      "bb",
      "sh",
      "-c",
      "head -c 5000 /dev/zero >/tmp/f; exit 3",
    ])
    await client.ok("create", "--name", "fresh", "bb", "true")
    const names = async (...flags: string[]) =>
      (await client.ok("ps", "-a", "--format", "{{.Names}}", ...flags)).split("\n").sort().join(" ")
    expect(await names()).toBe("down fresh up")
    expect(await client.ok("ps", "--format", "{{.Names}}")).toBe("up")
    expect(await names("--filter", "label=tier")).toBe("down up")
    expect(await names("--filter", "label=tier=db")).toBe("down")
    expect(await names("--filter", "exited=3")).toBe("down")
    expect(await names("--filter", "status=created")).toBe("fresh")
    expect(await names("--filter", "status=running", "--filter", "status=exited")).toBe("down up")
    expect(await names("--filter", "name=^/?u")).toBe("up")
    expect(await names("--filter", "ancestor=bb")).toBe("down fresh up")
    expect(await names("--filter", "before=fresh")).toBe("down up")
    expect(await names("--filter", "since=up")).toBe("down fresh")
    expect(await names("--filter", "network=bridge")).toBe("down fresh up")
    expect(await names("-n", "1")).toBe("fresh")
    expect(await names("-l")).toBe("fresh")
    expect(await client.ok("ps", "-a", "-s", "--filter", "name=down", "--format", "{{.Size}}")).toMatch(
      /^5kB \(virtual [\d.]+MB\)$/,
    )
    expect(
      await client.ok(
        "ps",
        "-a",
        "--filter",
        "name=down",
        "--format",
        "{{.Status}}|{{.Image}}|{{.Command}}|{{.State}}",
      ),
    ).toMatch(/^Exited \(3\) .* ago\|bb\|"sh -c 'head -c 5000…"\|exited$/)
    expect(await client.ok("ps", "-a", "--filter", "name=fresh", "--format", "{{.Status}}")).toBe("Created")
    const wrong = await client.run(["ps", "--filter", "nosuch=1"])
    expect(wrong.stderr).toContain("invalid filter 'nosuch'")
  })

  test("inspect has the fields that tools read", async () => {
    const id = await sleeper("full", "--label", "a=b", "-e", "X=1", "--hostname", "named")
    const [seen] = JSON.parse(await client.ok("inspect", "full"))
    expect(seen).toMatchObject({
      Id: id,
      Name: "/full",
      Path: "sleep",
      Args: ["600"],
      Image: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      Driver: expect.any(String),
      Platform: "linux",
      RestartCount: 0,
      State: {
        Status: "running",
        Running: true,
        Paused: false,
        Restarting: false,
        OOMKilled: false,
        Dead: false,
        ExitCode: 0,
        Error: "",
        FinishedAt: "0001-01-01T00:00:00Z",
      },
      Config: {
        Hostname: "named",
        Image: "bb",
        Cmd: ["sleep", "600"],
        Labels: { a: "b" },
        Tty: false,
        OpenStdin: false,
      },
      HostConfig: {
        NetworkMode: "bridge",
        RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
        Privileged: false,
        AutoRemove: false,
      },
      Mounts: [],
    })
    expect(seen.Config.Env).toContain("X=1")
    expect(seen.Created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
    expect(seen.NetworkSettings.Networks.bridge.IPAddress).toBe(seen.NetworkSettings.IPAddress)
    expect(seen.NetworkSettings.Networks.bridge.MacAddress).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
    expect(await Bun.file(seen.HostsPath).text()).toContain("named")
    const [sized] = JSON.parse(await client.ok("inspect", "-s", "full"))
    expect(sized).toMatchObject({ SizeRw: expect.any(Number), SizeRootFs: expect.any(Number) })
    expect((await client.run(["inspect", "no-such"])).stderr).toContain("No such object: no-such")
  })

  test("commands take a unique prefix of the id, and refuse one that is not unique by saying so", async () => {
    const id = await sleeper("prefixed")
    expect(await field(id.slice(0, 8), "{{.Name}}")).toBe("/prefixed")
    expect(await client.ok("rm", "-f", id.slice(0, 12))).toBe(id.slice(0, 12))
  })

  test("update changes the limits and the restart policy of a running container", async () => {
    await sleeper("elastic", "-m", "64m", "--memory-swap", "64m")
    await client.ok("update", "-m", "96m", "--memory-swap", "96m", "--restart", "on-failure:2", "elastic")
    expect(await field("elastic", "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}")).toBe(
      "100663296 on-failure",
    )
  })
})

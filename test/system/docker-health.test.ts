// Health checks through the real client: status in ps and inspect, events, timeouts, pauses, and a restart of the engine.
import { afterEach, describe, expect, test } from "bun:test"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

type Health = { Status: string; FailingStreak: number; Log: { ExitCode: number; Output: string }[] }

describe.skipIf(dockerProgram === undefined)("health checks", () => {
  const engine = testEngine()
  const client = docker(engine)
  const health = async (name: string): Promise<Health> =>
    JSON.parse(await client.ok("inspect", "-f", "{{json .State.Health}}", name))
  const checked = (name: string, command: string, ...flags: string[]) =>
    client.ok(
      ...["run", "-d", "--name", name, "--net", "none", "--health-cmd", command, "--health-interval", "100ms"],
      ...[...flags, "bb", "sleep", "600"],
    )

  async function until(name: string, holds: (health: Health) => boolean): Promise<Health> {
    const deadline = Date.now() + 10_000
    for (;;) {
      const now = await health(name)
      if (holds(now)) return now
      if (Date.now() > deadline) throw new Error(`Waited in vain: ${JSON.stringify(now)}`)
      await Bun.sleep(50)
    }
  }

  const execsOf = (name: string) => client.ok("inspect", "-f", "{{json .ExecIDs}}", name)

  afterEach(async () => {
    const left = (await client.ok("ps", "-aq")).split("\n").filter(Boolean)
    if (left.length > 0) await client.ok("rm", "-fv", ...left)
  })

  test("goes from starting to healthy to unhealthy and back, and events say so", async () => {
    const since = String(Date.now() / 1000)
    await checked("web", "echo looked; test -f /ok", "--health-retries", "2", "--health-start-period", "1m")
    expect(await client.ok("ps", "--format", "{{.Status}}")).toEndWith(" (health: starting)")
    await client.ok("exec", "web", "sh", "-c", ": > /ok")
    // In the start period the first check comes after the start interval only.
    const { Log, FailingStreak } = await until("web", ({ Status }) => Status === "healthy")
    expect(Log.at(-1)).toMatchObject({ ExitCode: 0, Output: "looked\n" })
    expect(FailingStreak).toBe(0)
    expect(await client.ok("ps", "--format", "{{.Status}}")).toEndWith(" (healthy)")
    expect(await client.ok("ps", "-q", "--filter", "health=healthy")).not.toBe("")
    expect(await client.ok("ps", "-q", "--filter", "health=none")).toBe("")

    await client.ok("exec", "web", "busybox", "rm", "/ok")
    const bad = await until("web", ({ Log, FailingStreak }) => FailingStreak >= 5 && Log.length === 5)
    expect(bad.Status).toBe("unhealthy")
    await client.ok("exec", "web", "sh", "-c", ": > /ok")
    await until("web", ({ Status }) => Status === "healthy")
    const events = await client.ok(
      ...["events", "--since", since, "--until", String(Date.now() / 1000), "--format", "{{.Action}}"],
      ...["--filter", "event=health_status"],
    )
    expect(events.split("\n")).toEqual(["health_status: healthy", "health_status: unhealthy", "health_status: healthy"])
  })

  test("a container without a check has no health", async () => {
    await client.ok("run", "-d", "--name", "plain", "--net", "none", "bb", "sleep", "600")
    expect(await health("plain")).toBeNull()
    expect(await client.ok("ps", "--format", "{{.Names}}", "--filter", "health=none")).toBe("plain")
    await client.ok("run", "-d", "--name", "none", "--net", "none", "--no-healthcheck", "bb", "sleep", "600")
    expect(await health("none")).toBeNull()
  })

  test("a check that takes too long has failed, and nothing of it stays", async () => {
    await checked("slow", "echo begun; sleep 61 & sleep 62; true", "--health-timeout", "300ms", "--health-retries", "1")
    const { Log } = await until("slow", ({ Log }) => Log.length > 3)
    expect(Log.at(-1)).toMatchObject({ ExitCode: -1, Output: "Health check exceeded timeout (300ms): begun\n" })
    const processes = (await client.ok("top", "slow", "-o", "pid,args")).split("\n")
    // One check that is under way: its shell and two sleeps; and the container's own process.
    expect(processes.filter((line) => line.includes("sleep 6")).length).toBeLessThanOrEqual(4)
  })

  test("output is kept up to 4096 bytes, a check that cannot be run says why", async () => {
    await checked("loud", "yes | head -c 100000")
    const loud = (await until("loud", ({ Log }) => Log.length > 0)).Log[0]
    expect(loud?.Output).toHaveLength(4099)
    expect(loud?.Output).toEndWith("...")
    const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create?name=odd", {
      Image: "bb",
      Cmd: ["sleep", "600"],
      Healthcheck: { Test: ["CMD", "/nosuch"], Interval: 1e8, Retries: 1 },
      HostConfig: { NetworkMode: "none" },
    })
    await client.ok("start", Id)
    const odd = await until("odd", ({ Status }) => Status === "unhealthy")
    expect(odd.Log[0]).toMatchObject({ ExitCode: -1 })
    expect(odd.Log[0]?.Output).toContain('exec: "/nosuch": stat /nosuch: no such file or directory')
  })

  test("nothing is checked while the container is paused or stopped", async () => {
    await checked("still", "true")
    await until("still", ({ Status }) => Status === "healthy")
    await client.ok("pause", "still")
    const paused = await health("still")
    expect(paused.Status).toBe("unhealthy")
    await Bun.sleep(500)
    expect((await health("still")).Log).toEqual(paused.Log)
    await client.ok("unpause", "still")
    await until("still", ({ Status }) => Status === "healthy")
    await client.ok("stop", "-t", "0", "still")
    const stopped = await health("still")
    expect(stopped.Status).toBe("unhealthy")
    await Bun.sleep(300)
    expect(await execsOf("still")).toBe("null")
    expect((await health("still")).Log).toEqual(stopped.Log)
    await client.ok("start", "still")
    await until("still", ({ Status }) => Status === "healthy")
  })

  test("a restart of the engine keeps the status and goes on checking", async () => {
    await checked("kept", "test ! -f /bad", "--health-retries", "1")
    await until("kept", ({ Status }) => Status === "healthy")
    await engine.kill()
    await engine.start()
    expect((await health("kept")).Status).toBe("healthy")
    await client.ok("exec", "kept", "sh", "-c", ": > /bad")
    await until("kept", ({ Status }) => Status === "unhealthy")
  })

  test("what Docker refuses is refused in its words", async () => {
    const refused = async (Healthcheck: unknown): Promise<string> =>
      (await engine.call("POST", "/containers/create", { Image: "bb", Cmd: ["true"], Healthcheck })).text
    expect(await refused({ Interval: 5 })).toContain("Interval in Healthcheck cannot be less than 1ms")
    expect(await refused({ Retries: -1 })).toContain("Retries in Healthcheck cannot be negative")
    const { stderr } = await client.run(["ps", "--filter", "health=fine"])
    expect(stderr).toContain("invalid value for health (fine): must be one of none, starting, healthy, unhealthy")
  })
})

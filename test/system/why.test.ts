// How containers ended, through dhow's own commands: who asked, what the kernel refused, what they used; kept over crashes
// of the engine and after their removal. The engine's own ends too: time limits, health, requirements.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { ContainerInspect, ContainerSummary } from "../../src/wire/container.ts"
import type { ExitReport, Usage } from "../../src/wire/exit.ts"
import type { Why } from "../../src/wire/why.ts"
import { dhow } from "../support/docker.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { agree } from "../support/invariants.ts"

setDefaultTimeout(30_000)
const engine = new TestEngine()
const client = dhow(engine)
const why = (name: string): Promise<Why> => engine.must("GET", `/dhow/containers/${name}/why`)
const exits = (name: string): Promise<ExitReport[]> => engine.must("GET", `/dhow/containers/${name}/exits`)
const inspect = (name: string): Promise<ContainerInspect> => engine.must("GET", `/containers/${name}/json`)
const code = async (name: string): Promise<string | undefined> => (await why(name)).Findings[0]?.Code
const start = (name: string) => engine.must("POST", `/containers/${name}/start`)
const ended = (name: string) => engine.must<{ StatusCode: number }>("POST", `/containers/${name}/wait`)

async function create(
  name: string,
  body: Record<string, unknown>,
  host: Record<string, unknown> = {},
): Promise<string> {
  const { Id } = await engine.must<{ Id: string }>("POST", `/containers/create?name=${name}`, {
    Image: "bb",
    ...body,
    HostConfig: { NetworkMode: "none", ...host },
  })
  return Id
}

/** Creates and starts it, and waits for its end. */
async function run(name: string, body: Record<string, unknown>, host: Record<string, unknown> = {}): Promise<string> {
  const id = await create(name, body, host)
  const end = host["AutoRemove"] === true ? engine.must("POST", `/containers/${id}/wait?condition=removed`) : undefined
  await start(id)
  await (end ?? ended(id))
  return id
}

async function until<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 15_000
  for (;;) {
    const value = await look()
    if (holds(value)) return value
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${JSON.stringify(value)}`)
    await Bun.sleep(30)
  }
}

beforeAll(async () => {
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
})
afterAll(() => engine.destroy())

describe("an end", () => {
  test("leaves what it used, in inspect, in ps, and as run --usage writes it", async () => {
    const script = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; echo done"
    const file = join(engine.root, "usage.json")
    const { status } = await client.run(["run", "--name", "busy", "--usage", file, "bb", "sh", "-c", script])
    expect(status).toBe(0)
    const { Usage: usage } = (await inspect("busy")).State
    const { WallTime = 0, CPUTime = 0, MemoryPeak = 0, Missing = [] } = usage ?? {}
    expect(WallTime).toBeGreaterThan(0)
    expect(CPUTime).toBeGreaterThan(1_000_000)
    expect(MemoryPeak).toBeGreaterThan(10_000)
    // What a kernel may lack; nothing else is missing of an end that was seen.
    expect(Missing.filter((name) => !["ProcessesPeak", "MemoryPeak"].includes(name))).toEqual([])
    const written = JSON.parse(readFileSync(file, "utf8")) as { ExitCode: number; Usage: Usage }
    expect(written).toMatchObject({ ExitCode: 0, Usage: usage })
    const [row] = (await engine.must<ContainerSummary[]>("GET", "/containers/json?all=1")).filter(
      ({ Names }) => Names[0] === "/busy",
    )
    expect(row?.Usage).toEqual(usage!)
    expect(await client.ok("ps", "-a", "--format", "{{.Names}} {{.CPUTime}} {{.MemoryPeak}}")).toMatch(
      /^busy [\d.]+s [\d.]+\w+B$/m,
    )
    await start("busy")
    const again = await inspect("busy")
    if (again.State.Running) expect(again.State.Usage).toBeUndefined()
    await ended("busy")
    expect((await exits("busy")).length).toBe(2)
  })

  test("is told from the kernel's, at the memory limit", async () => {
    await run("oom", { Cmd: ["sh", "-c", 'x=a; while :; do x="$x$x"; done'] }, { Memory: 2e7, MemorySwap: 2e7 })
    const found = await why("oom")
    expect(found.Findings[0]?.Code).toBe("oom-limit")
    expect(found.Last).toMatchObject({ ExitCode: 137, Signal: "SIGKILL", OOMKilled: true })
    expect((await inspect("oom")).State.OOMKilled).toBe(true)
    expect(await client.ok("why", "oom")).toContain("The kernel killed it at its memory limit of 19MiB.")
  })

  test("is told from a client's, with its program and user", async () => {
    await create("stopped", { Cmd: ["sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done"] })
    await start("stopped")
    await until(
      () => engine.call("GET", "/containers/stopped/logs?stdout=1"),
      ({ text }) => text.includes("up"),
    )
    await client.ok("stop", "stopped")
    const { Last, Findings } = await why("stopped")
    expect(Findings[0]?.Code).toBe("stopped-by-client")
    expect(Last?.Asked).toMatchObject({ Action: "stop", Signal: 15, By: { Kind: "client", Uid: process.getuid!() } })
    expect(Last?.Asked?.By).toHaveProperty("Program")
    expect(Last?.ExitCode).toBe(5)
  })

  test("is told from somebody's on the host, who did not ask the engine", async () => {
    await create("shot", { Cmd: ["sleep", "600"] })
    await start("shot")
    process.kill((await inspect("shot")).State.Pid, "SIGKILL")
    await ended("shot")
    const { Findings, Last } = await why("shot")
    expect([Findings[0]?.Code, Last?.Asked]).toEqual(["killed-from-outside", undefined])
  })

  test("of a monitor that was killed takes the container with it, and is told as that", async () => {
    await create("alone", { Cmd: ["sleep", "600"] })
    await start("alone")
    const { Pid } = (await inspect("alone")).State
    const conmon = Number(/\) \w (\d+) /.exec(readFileSync(`/proc/${Pid}/stat`, "utf8"))?.[1])
    expect(readFileSync(`/proc/${conmon}/comm`, "utf8")).toBe("conmon\n")
    process.kill(conmon, "SIGKILL")
    await ended("alone")
    expect(await code("alone")).toBe("lost")
    expect((await exits("alone"))[0]?.Seen).toBe("lost")
  })

  test("of a program that is not there, or refused something, is explained", async () => {
    await create("absent", { Cmd: ["nosuch"] })
    expect((await engine.call("POST", "/containers/absent/start")).status).toBe(400)
    expect(await code("absent")).toBe("command-not-found")
    await create("idle", { Cmd: ["true"] })
    expect(await code("idle")).toBe("never-started")
    const directory = join(engine.root, "owned")
    mkdirSync(directory)
    chmodSync(directory, 0o755)
    // The way to it is open, as that of a user's directory mostly is.
    chmodSync(engine.root, 0o755)
    await run("denied", { Cmd: ["sh", "-c", "echo x > /data/x"], User: "1000:1000" }, { Binds: [`${directory}:/data`] })
    const denied = await why("denied")
    expect(denied.Findings[0]?.Code).toBe("mount-permission")
    expect(denied.Last?.Detail?.User).toMatchObject({ Uid: 1000, HostUid: 1000 })
    expect(denied.Findings[0]?.Fixes[0]?.Command).toBe(`chown -R 1000:1000 ${directory}`)
    expect(existsSync(join(directory, "x"))).toBe(false)
    await run("readonly", { Cmd: ["sh", "-c", "echo x > /x"] }, { ReadonlyRootfs: true })
    expect(await code("readonly")).toBe("root-read-only")
    await run("crowd", { Cmd: ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait"] }, { PidsLimit: 4 })
    expect(await code("crowd")).toBe("process-limit")
    await run("deaf", { Cmd: ["wget", "http://no.such.name/"] })
    expect(await code("deaf")).toBe("name-resolution")
    await run("shell", { Cmd: ["sh"] })
    expect(await code("shell")).toBe("no-input")
  })

  test("is known for a while after the removal, by name and by id", async () => {
    const id = await run("brief", { Cmd: ["sh", "-c", "echo last words; exit 4"] }, { AutoRemove: true })
    const found = await until(
      () => why("brief"),
      ({ Last }) => Last?.Detail !== undefined,
    )
    expect(found).toMatchObject({ Status: "removed", ContainerID: id, Last: { ExitCode: 4 } })
    expect(found.Last?.Detail?.LastLines).toEqual([{ Stream: "stdout", Text: "last words" }])
    expect((await why(id.slice(0, 12))).ContainerID).toBe(id)
    const all = await engine.must<ExitReport[]>("GET", `/dhow/exits?since=${found.Last?.FinishedAt}`)
    expect(all.some(({ ContainerID }) => ContainerID === id)).toBe(true)
  })

  test("of nothing that there was is not found", async () => {
    for (const path of ["why", "exits"])
      expect(await engine.call("GET", `/dhow/containers/no%2Fsuch%27/${path}`)).toMatchObject({ status: 404 })
    expect((await engine.call("GET", "/dhow/exits?since=yesterday")).status).toBe(400)
    expect(await client.run(["why", "nobody"])).toMatchObject({
      status: 1,
      stderr: "dhow: No such container: nobody\n",
    })
  })
})

describe("requests", () => {
  test.each([
    [{ HealthAction: "reboot" }, "invalid health action"],
    [{ HealthAction: 1 }, "cannot unmarshal number"],
    [{ Timeout: -1 }, "invalid timeout -1"],
    [{ Timeout: "1m" }, "cannot unmarshal string"],
    [{ Requires: ["nobody"] }, "No such container: nobody"],
    [{ Requires: ["idle:happy"] }, "invalid requirement"],
    [{ Requires: ["idle:healthy"] }, "has no health check"],
    [{ Requires: "idle" }, "cannot unmarshal string"],
  ])("with %j are refused, and nothing is made of them", async (HostConfig, reason) => {
    const answer = await engine.call("POST", "/containers/create?name=wrong", { Image: "bb", HostConfig })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain(reason)
    expect((await engine.call("GET", "/containers/wrong/json")).status).toBe(404)
  })
})

describe("the engine looks after", () => {
  const check = (command: string, more: object = {}) => ({
    Healthcheck: { Test: ["CMD-SHELL", command], Interval: 1e8, Retries: 2, ...more },
    StopSignal: "SIGKILL",
    Cmd: ["sleep", "600"],
  })

  test("who is unhealthy: restarts, stops, or kills it and leaves the rest to the policy", async () => {
    await create("again", check("test -e /never"), { HealthAction: "restart" })
    await create("enough", check("test -e /never"), { HealthAction: "stop", RestartPolicy: { Name: "always" } })
    await create("policy", check("test -e /never"), { HealthAction: "kill", RestartPolicy: { Name: "on-failure" } })
    await Promise.all(["again", "enough", "policy"].map(start))
    await until(
      () => exits("again"),
      (found) => found.length >= 2,
    )
    const [first] = (await exits("again")).toReversed()
    expect(first?.Asked).toMatchObject({ Action: "restart", By: { Kind: "engine", Reason: "unhealthy" } })
    await until(
      () => inspect("enough"),
      ({ State }) => State.Status === "exited",
    )
    expect(await code("enough")).toBe("health-action")
    const killed = await until(
      () => inspect("policy"),
      ({ RestartCount }) => RestartCount >= 1,
    )
    expect(killed.HostConfig.HealthAction).toBe("kill")
    for (const name of ["again", "enough", "policy"]) await engine.must("DELETE", `/containers/${name}?force=1`)
  })

  test("who needs others: they are started first, and are healthy or done", async () => {
    await create("db", {
      ...check("test -e /tmp/up"),
      Cmd: ["sh", "-c", "sleep 0.3; touch /tmp/up; sleep 600"],
      Healthcheck: { Test: ["CMD-SHELL", "test -e /tmp/up"], Interval: 1e8, Retries: 100 },
    })
    await create("setup", { Cmd: ["sh", "-c", "exit 0"] })
    await create("web", { Cmd: ["sleep", "600"] }, { Requires: ["db", "setup:completed"] })
    await start("web")
    const [db, setup, web] = await Promise.all(["db", "setup", "web"].map(inspect))
    expect([db?.State.Health?.Status, setup?.State.Status, web?.State.Running]).toEqual(["healthy", "exited", true])
    expect(web?.HostConfig.Requires).toEqual([db!.Id, `${setup!.Id}:completed`])
    await engine.must("POST", "/containers/web/stop?t=0")
    expect((await inspect("db")).State.Running).toBe(true)
    await engine.must("DELETE", "/containers/setup")
    const refused = await engine.call("POST", "/containers/web/start")
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining("does not exist any more")])
    expect(await code("web")).toBe("requirement")
    await create("broken", { Cmd: ["sh", "-c", "exit 3"] })
    await create("late", { Cmd: ["true"] }, { Requires: ["broken:completed"] })
    expect((await engine.call("POST", "/containers/late/start")).text).toContain("it ended with 3")
  })
})

describe("over a crash of the engine", () => {
  test("time limits, health and ends are kept, and what was missed is said", async () => {
    await create("limited", { Cmd: ["sleep", "600"], StopSignal: "SIGKILL" }, { Timeout: 1 })
    await create("sick", {
      Cmd: ["sleep", "600"],
      Healthcheck: { Test: ["CMD-SHELL", "echo ill; exit 1"], Interval: 1e8, Retries: 2 },
    })
    const quietId = await create("quiet", { Cmd: ["sleep", "600"] })
    for (const name of ["limited", "sick", "quiet"]) await start(name)
    const before = await until(
      () => inspect("sick"),
      ({ State }) => (State.Health?.FailingStreak ?? 0) >= 3,
    )
    const { Pid } = (await inspect("quiet")).State
    await engine.kill()
    process.kill(Pid, "SIGKILL")
    await until(
      async () => existsSync(join(engine.execRoot, "exits", quietId)),
      (isThere) => isThere,
    )
    await engine.start()
    const after = (await inspect("sick")).State.Health
    expect(after?.Status).toBe("unhealthy")
    expect(after?.FailingStreak ?? 0).toBeGreaterThanOrEqual(before.State.Health?.FailingStreak ?? 3)
    expect(after?.Log.at(-1)?.Output).toBe("ill\n")
    await engine.must("POST", "/containers/sick/kill")
    await ended("sick")
    await engine.kill()
    await engine.start()
    expect((await inspect("sick")).State.Health).toMatchObject({ Status: "unhealthy" })
    expect((await inspect("sick")).State.Health?.Log.length).toBeGreaterThanOrEqual(3)
    // The last check may have met the kill.
    const checks = (await exits("sick"))[0]?.Detail?.Health?.Log ?? []
    expect(checks.some(({ Output }) => Output === "ill\n")).toBe(true)
    const quiet = await until(
      () => exits("quiet"),
      (found) => found.length === 1,
    )
    expect(quiet[0]).toMatchObject({ Seen: "afterwards", ExitCode: 137 })
    expect(quiet[0]?.Usage?.CPUTime).toBeGreaterThan(0)
    expect(quiet[0]?.Asked).toBeUndefined()
    await until(
      () => inspect("limited"),
      ({ State }) => State.Status === "exited",
    )
    expect(await code("limited")).toBe("time-limit")
    expect((await exits("limited"))[0]?.Asked?.By).toEqual({ Kind: "engine", Reason: "time-limit" })
    await engine.must("DELETE", "/containers/sick?force=1")
  })

  test.each(["container.exit:before-row", "container.exit:after-row"])(
    "at %s no end is lost, nor told twice",
    async (point) => {
      await engine.kill()
      await engine.start({ DHOW_CRASH_AT: point })
      const name = point.replace(/\W/g, "-")
      await create(name, { Cmd: ["sh", "-c", "echo words; exit 6"] })
      await start(name)
      await engine.ended()
      await engine.start()
      const found = await until(
        () => exits(name),
        ([last]) => last?.Detail !== undefined,
      )
      expect(
        found.map(({ ExitCode, Usage: usage, Detail }) => [ExitCode, (usage?.CPUTime ?? 0) > 0, Detail?.LastLines]),
      ).toEqual([[6, true, [{ Stream: "stdout", Text: "words" }]]])
      await agree(engine)
    },
  )
})

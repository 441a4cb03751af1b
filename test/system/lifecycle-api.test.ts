// What a container goes through, over the API: names, signals, waits, filters, prune, restart policies; and the events of
// all that, as Docker tells them.
import { describe, expect, test } from "bun:test"
import { testEngine } from "../support/fixture.ts"
import { RawClient } from "../support/raw-client.ts"

type Event = {
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
  timeNano: number
}
type State = { Status: string; ExitCode: number; Running: boolean }

describe("a container's life over the API", () => {
  const engine = testEngine()

  const create = async (name: string, command: string[], more: Record<string, unknown> = {}): Promise<string> => {
    const body = { Image: "bb", Cmd: command, HostConfig: { NetworkMode: "none" }, ...more }
    return (await engine.must<{ Id: string }>("POST", `/containers/create?name=${name}`, body)).Id
  }
  const run = async (name: string, command: string[], more: Record<string, unknown> = {}): Promise<string> => {
    const id = await create(name, command, more)
    await engine.must("POST", `/containers/${name}/start`)
    return id
  }
  const refusal = async (method: string, path: string, body?: unknown): Promise<[number, string]> => {
    const { status, json } = await engine.call(method, path, body)
    return [status, (json as { message?: string } | undefined)?.message ?? ""]
  }
  const inspect = (name: string): Promise<{ State: State; RestartCount: number }> =>
    engine.must("GET", `/containers/${name}/json`)
  const remove = (...names: string[]): Promise<unknown> =>
    Promise.all(names.map((name) => engine.must("DELETE", `/containers/${name}?force=1&v=1`)))
  const events = async (query: string, filters: Record<string, string[]> = {}): Promise<Event[]> => {
    const until = `until=${(Date.now() + 50) / 1000}`
    const { text } = await engine.call("GET", `/events?${until}&${query}&filters=${encoded(filters)}`)
    return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Event]))
  }
  const encoded = (filters: unknown): string => encodeURIComponent(JSON.stringify(filters))
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    const patience = Date.now() + 15_000
    while (!(await holds())) {
      if (Date.now() > patience) throw new Error(`Waited in vain: ${engine.log().slice(-1500)}`)
      await Bun.sleep(20)
    }
  }

  test("rename, kill, stop, restart, rm and top refuse in Docker's words", async () => {
    const [one, two] = [await run("one", ["sleep", "600"]), await create("two", ["true"])]
    expect(await refusal("POST", "/containers/one/rename?name=")).toEqual([
      400,
      "Neither old nor new names may be empty",
    ])
    expect(await refusal("POST", "/containers/one/rename?name=/one")).toEqual([
      400,
      "Renaming a container with the same name as its current name",
    ])
    expect(await refusal("POST", "/containers/one/rename?name=a%20b")).toEqual([
      400,
      "Error when allocating new name: Invalid container name (/a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
    ])
    expect(await refusal("POST", "/containers/one/rename?name=two")).toEqual([
      409,
      `Error when allocating new name: Conflict. The container name "/two" is already in use by container "${two}". You have to remove (or rename) that container to be able to reuse that name.`,
    ])
    expect(await refusal("POST", "/containers/nosuch/rename?name=x")).toEqual([404, "No such container: nosuch"])
    expect(await refusal("POST", "/containers/one/kill?signal=NOPE")).toEqual([
      400,
      "cannot kill container: one: invalid signal: NOPE",
    ])
    expect(await refusal("POST", "/containers/one/kill?signal=999")).toEqual([
      400,
      "cannot kill container: one: the linux daemon does not support signal 999",
    ])
    expect(await refusal("POST", "/containers/two/kill")).toEqual([
      409,
      `cannot kill container: two: container ${two} is not running`,
    ])
    expect(await refusal("POST", "/containers/one/stop?signal=NOPE")).toEqual([
      400,
      "cannot stop container: one: invalid signal: NOPE",
    ])
    expect((await refusal("POST", "/containers/one/stop?t=soon"))[0]).toBe(400)
    expect((await engine.call("POST", "/containers/two/stop")).status).toBe(304)
    expect((await engine.call("POST", "/containers/one/start")).status).toBe(304)
    expect(await refusal("POST", "/containers/two/pause")).toEqual([409, `container ${two} is not running`])
    expect(await refusal("DELETE", "/containers/one")).toEqual([
      409,
      'cannot remove container "one": container is running: stop the container before removing or force remove',
    ])
    await engine.must("POST", "/containers/one/pause")
    expect(await refusal("POST", "/containers/one/pause")).toEqual([409, `Container ${one} is already paused`])
    expect(await refusal("DELETE", "/containers/one")).toEqual([
      409,
      'cannot remove container "one": container is paused and must be unpaused first',
    ])
    await engine.must("POST", "/containers/one/unpause")
    expect(await refusal("DELETE", "/containers/one?link=1")).toEqual([
      409,
      "Conflict, cannot remove the default link name of the container",
    ])
    expect(await refusal("GET", "/containers/two/top")).toEqual([409, `container ${two} is not running`])
    expect(await refusal("GET", "/containers/one/top?ps_args=-eo%20ppid=PID")).toEqual([
      400,
      'specifying "ppid=PID" is not allowed',
    ])
    expect((await refusal("GET", "/containers/one/top?ps_args=--nonsense"))[1]).toStartWith("ps: ")
    const forest = await engine.must<{ Titles: string[]; Processes: string[][] }>(
      "GET",
      "/containers/one/top?ps_args=faux",
    )
    expect(forest.Titles).toContain("PID")
    expect(forest.Processes).toHaveLength(1)
    await remove("one", "two")
  })

  test("wait sends its head at once, and answers each condition when it holds", async () => {
    await create("awaited", ["sh", "-c", "exit 7"])
    expect(await refusal("POST", "/containers/awaited/wait?condition=later")).toEqual([
      400,
      'invalid condition: "later"',
    ])
    expect(await refusal("POST", "/containers/nosuch/wait")).toEqual([404, "No such container: nosuch"])
    // Of one that does not run, "not-running" holds already.
    expect(await engine.must("POST", "/containers/awaited/wait")).toEqual({ StatusCode: 0 })
    const open = (condition: string): Promise<RawClient> =>
      RawClient.open(engine, `POST /containers/awaited/wait?condition=${condition} HTTP/1.1\r\nConnection: close`)
    const [next, gone] = [await open("next-exit"), await open("removed")]
    expect(next.head).toStartWith("HTTP/1.1 200 ")
    await engine.must("POST", "/containers/awaited/start")
    await next.ended()
    expect(next.text).toContain('{"StatusCode":7}')
    expect(gone.text).toBe("")
    await remove("awaited")
    await gone.ended()
    expect(gone.text).toContain('{"StatusCode":7}')
    await create("broken", ["/no/such/program"])
    expect((await engine.call("POST", "/containers/broken/start")).status).toBe(400)
    expect(await engine.must("POST", "/containers/broken/wait")).toMatchObject({
      StatusCode: 127,
      Error: { Message: expect.stringContaining("no such file or directory") },
    })
    await remove("broken")
  })

  test("the list is filtered as Docker's, and what is no filter is refused", async () => {
    const web = await run("web", ["sleep", "600"], {
      Labels: { tier: "web", empty: "" },
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      HostConfig: {
        Binds: ["data:/data", "/tmp:/host"],
        PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
      },
    })
    await run("done", ["sh", "-c", "exit 3"], { Labels: { tier: "job" } })
    await engine.must("POST", "/containers/done/wait")
    await create("fresh", ["true"])
    const names = async (filters: Record<string, string[]>, query = "all=1"): Promise<string> => {
      const list = await engine.must<{ Names: string[] }[]>(
        "GET",
        `/containers/json?${query}&filters=${encoded(filters)}`,
      )
      return list.map(({ Names }) => Names[0]?.slice(1)).join(" ")
    }
    const [{ Ports }] = await engine.must<[{ Ports: { PublicPort?: number }[] }]>("GET", "/containers/json")
    const published = String(Ports.find(({ PublicPort }) => PublicPort !== undefined)?.PublicPort)
    for (const [filters, expected, query] of [
      [{}, "fresh done web"],
      [{}, "web", ""],
      [{}, "fresh done", "limit=2"],
      [{ status: ["exited"] }, "done", ""],
      [{ status: ["created", "running"] }, "fresh web", ""],
      [{ exited: ["3"] }, "done"],
      [{ exited: ["3"] }, "", ""],
      [{ label: ["tier"] }, "done web"],
      [{ label: ["tier=web", "empty"] }, "web"],
      [{ label: ["tier=nothing"] }, ""],
      [{ name: ["^/?d"] }, "done"],
      [{ name: ["e"] }, "fresh done web"],
      [{ name: ["["] }, ""],
      [{ id: [web.slice(0, 12)] }, "web"],
      [{ id: [""] }, ""],
      [{ ancestor: ["bb"] }, "fresh done web"],
      [{ ancestor: ["no-such"] }, ""],
      [{ before: ["done"] }, "web"],
      [{ since: ["web"] }, "fresh done"],
      [{ expose: ["80"] }, "web"],
      [{ expose: ["50-60/udp"] }, "web"],
      [{ expose: ["81/tcp"] }, ""],
      [{ publish: [published] }, "web"],
      [{ publish: ["80"] }, ""],
      [{ health: ["none"] }, "fresh done web"],
      [{ health: ["healthy"] }, ""],
      [{ network: ["bridge"] }, "web"],
      [{ network: ["none"] }, "fresh done"],
      [{ volume: ["data"] }, "web"],
      [{ volume: ["/host"] }, "web"],
      [{ volume: ["/nowhere"] }, ""],
      [{ "is-task": ["true"] }, ""],
      [{ "is-task": ["false"] }, "fresh done web"],
      [{ isolation: ["default"] }, "fresh done web"],
    ] as const)
      expect(`${JSON.stringify(filters)}: ${await names(filters as never, query)}`).toBe(
        `${JSON.stringify(filters)}: ${expected}`,
      )
    for (const [filters, status, message] of [
      [{ nosuch: ["x"] }, 400, "invalid filter 'nosuch'"],
      [
        { status: ["up"] },
        400,
        "invalid filter 'status=up': invalid value for state (up): must be one of created, running, paused, restarting, removing, exited, dead",
      ],
      [
        { health: ["fine"] },
        400,
        "invalid filter 'health=fine': invalid value for health (fine): must be one of none, starting, healthy, unhealthy",
      ],
      [{ exited: ["x"] }, 400, "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax"],
      [{ publish: ["1:2"] }, 400, "filter for 'publish' should not contain ':': 1:2"],
      [{ before: ["nobody"] }, 404, "No such container: nobody"],
      [{ "is-task": ["maybe"] }, 400, "invalid filter 'is-task=[maybe]'"],
    ] as const)
      expect(await refusal("GET", `/containers/json?filters=${encoded(filters)}`)).toEqual([status, message])
    const sized = await engine.must<{ SizeRw?: number; SizeRootFs: number }[]>("GET", "/containers/json?all=1&size=1")
    for (const { SizeRootFs } of sized) expect(SizeRootFs).toBeGreaterThan(0)

    const prune = (filters: unknown): Promise<{ ContainersDeleted: string[] | null }> =>
      engine.must("POST", `/containers/prune?filters=${encoded(filters)}`)
    expect(await refusal("POST", `/containers/prune?filters=${encoded({ status: ["exited"] })}`)).toEqual([
      400,
      "invalid filter 'status'",
    ])
    expect((await prune({ until: ["1h"] })).ContainersDeleted).toBeNull()
    expect((await prune({ label: ["tier=none"] })).ContainersDeleted).toBeNull()
    expect((await prune({ "label!": ["tier"] })).ContainersDeleted).toHaveLength(1)
    expect((await prune({ label: ["tier"], until: ["0s"] })).ContainersDeleted).toHaveLength(1)
    expect(await names({})).toBe("web")
    await remove("web")
    await engine.must("DELETE", "/volumes/data")
  })

  test("restart policies count, pause longer each time, and end with a user's stop", async () => {
    const since = `since=${(Date.now() - 10) / 1000}`
    const policy = (Name: string, MaximumRetryCount = 0): Record<string, unknown> => ({
      HostConfig: { NetworkMode: "none", RestartPolicy: { Name, MaximumRetryCount } },
    })
    await run("thrice", ["sh", "-c", "exit 3"], policy("on-failure", 3))
    await run("fine", ["sh", "-c", "exit 0"], policy("on-failure"))
    await run("always", ["sh", "-c", "exit 1"], policy("always"))
    await run("unless", ["sh", "-c", "exit 1"], policy("unless-stopped"))
    await until(async () => (await inspect("thrice")).State.Status === "exited")
    expect(await inspect("thrice")).toMatchObject({ RestartCount: 3, State: { ExitCode: 3 } })
    expect(await inspect("fine")).toMatchObject({ RestartCount: 0, State: { Status: "exited", ExitCode: 0 } })
    const starts = (await events(since, { container: ["thrice"], event: ["start", "die"] })).map(
      ({ timeNano }) => timeNano / 1e6,
    )
    expect(starts).toHaveLength(8)
    const pauses = [1, 3, 5].map((index) => (starts[index + 1] ?? 0) - (starts[index] ?? 0))
    // At least as long as they should be: a busy machine only makes them longer.
    for (const [index, least] of [100, 200, 400].entries()) expect(pauses[index]).toBeGreaterThanOrEqual(least - 5)
    for (const name of ["always", "unless"]) {
      await until(async () => (await inspect(name)).RestartCount > 0)
      await engine.must("POST", `/containers/${name}/stop?t=0`)
      await until(async () => (await inspect(name)).State.Status === "exited")
    }
    await engine.kill()
    await engine.start()
    // Over an engine's restart: always means always.
    await until(async () => (await inspect("always")).RestartCount > 0)
    expect(await inspect("unless")).toMatchObject({ State: { Status: "exited" } })
    expect(await inspect("thrice")).toMatchObject({ State: { Status: "exited" } })
    await remove("thrice", "fine", "always", "unless")
  })

  test("the events of a life are Docker's, with their attributes, and outlive the engine", async () => {
    // The engine's clock may be a little behind ours; what was before must not be told all the same.
    await Bun.sleep(20)
    const since = `since=${(Date.now() - 10) / 1000}`
    const id = await create("lived", ["sleep", "600"], {
      Labels: { own: "label" },
      Volumes: { "/data": {} },
      HostConfig: { NetworkMode: "bridge", AutoRemove: false },
    })
    await engine.must("POST", "/containers/lived/start")
    const { Id: exec } = await engine.must<{ Id: string }>("POST", "/containers/lived/exec", {
      Cmd: ["sh", "-c", "exit 3"],
    })
    await engine.must("POST", `/exec/${exec}/start`, { Detach: true })
    await until(async () => (await events(since, { event: ["exec_die"] })).length === 1)
    await engine.must("GET", "/containers/lived/top")
    await engine.must("POST", "/containers/lived/pause")
    await engine.must("POST", "/containers/lived/unpause")
    await engine.must("POST", "/containers/lived/rename?name=renamed")
    await engine.must("POST", "/containers/renamed/update", { RestartPolicy: { Name: "no" } })
    await engine.call("GET", "/containers/renamed/archive?path=/etc/passwd")
    await engine.must("PUT", "/containers/renamed/archive?path=/tmp", new Uint8Array(1024))
    await engine.must("POST", "/commit?container=renamed&repo=committed&comment=why")
    await engine.call("GET", "/containers/renamed/export")
    await engine.must("POST", "/containers/renamed/restart?t=0")
    await engine.must("POST", "/containers/renamed/kill")
    await engine.must("DELETE", "/containers/renamed?v=1")
    await engine.must("DELETE", "/images/committed")
    await until(async () => (await events(since, { type: ["volume"], event: ["destroy"] })).length === 1)
    await engine.kill()
    await engine.start()

    const all = await events(since)
    const told = all.map(({ Type, Action }) => `${Type} ${Action}`)
    const taken = ["network connect", "volume mount", "container start"]
    const given = ["container kill", "network disconnect", "volume unmount", "container die"]
    expect(told.filter((line) => !line.startsWith("image "))).toEqual([
      ...["volume create", "container create", ...taken],
      ...["container exec_create: sh -c exit 3", "container exec_start: sh -c exit 3", "container exec_die"],
      ...["container top", "container pause", "container unpause", "container rename", "container update"],
      ...[
        "container archive-path",
        "container extract-to-dir",
        "container pause",
        "container commit",
        "container unpause",
      ],
      ...["container export", "container kill", ...given, "container stop", ...taken, "container restart"],
      ...[...given, "container destroy", "volume destroy"],
    ])
    const of = (action: string): Record<string, string> =>
      all.find(({ Action }) => Action === action)?.Actor.Attributes ?? {}
    expect(of("exec_die")).toEqual({ execID: exec, exitCode: "3", image: "bb", name: "lived", own: "label" })
    expect(of("rename")).toEqual({ oldName: "/lived", image: "bb", name: "renamed", own: "label" })
    expect(of("kill")).toMatchObject({ signal: "15" })
    expect(of("die")).toMatchObject({ exitCode: expect.any(String), execDuration: expect.stringMatching(/^\d+$/) })
    expect(of("commit")).toMatchObject({ comment: "why", imageRef: expect.stringContaining("committed") })
    expect(of("connect")).toEqual({ container: id, name: "bridge", type: "bridge" })
    expect(of("mount")).toMatchObject({ container: id, destination: "/data", driver: "local", "read/write": "true" })
    // Filters: within one "or", between them "and"; names and ids by their beginning.
    expect(await events(since, { container: [id.slice(0, 10)], event: ["die"] })).toHaveLength(2)
    expect(await events(since, { container: ["renam"], event: ["die", "start"] })).toHaveLength(3)
    expect(await events(since, { label: ["own=label"], event: ["exec_create"] })).toHaveLength(1)
    expect(await events(since, { type: ["network"], container: [id] })).toEqual([])
    expect(await events(since, { scope: ["swarm"] })).toEqual([])
    expect((await refusal("GET", "/events?since=2&until=1"))[1]).toBe(
      "`since` time (2) cannot be after `until` time (1)",
    )
    expect((await refusal("GET", "/events?since=yesterday"))[0]).toBe(400)
    for (const time of ["10m", "2020-01-01", "2020-01-01T10:00:00Z", "2020-01-01T10:00:00.5+02:00", "1577836800.5"])
      expect((await events(`since=${encodeURIComponent(time)}`, { container: [id] })).length).toBeGreaterThan(0)
  })
})

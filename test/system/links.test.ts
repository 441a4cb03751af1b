// Links between containers of the default bridge: what the linking one finds in /etc/hosts and its environment, names
// that a link gives, and what becomes of both when the other end is renamed, starts again or goes.
import { describe, expect, test } from "bun:test"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"
import { agree } from "../support/invariants.ts"

describe("links", () => {
  const engine = testEngine()
  type Body = Readonly<Record<string, unknown>>
  const create = (name: string, links: readonly string[], host: Body = {}, config: Body = {}) =>
    engine.call("POST", `/containers/create?name=${name}`, {
      ...{ Image: "bb", Cmd: ["sleep", "600"], ...config },
      HostConfig: { Links: links, ...host },
    })
  const run = async (name: string, links: readonly string[] = [], host: Body = {}, config: Body = {}) => {
    const { status, text, json } = await create(name, links, host, config)
    if (status !== 201) throw new Error(text)
    await engine.must("POST", `/containers/${name}/start`)
    return (json as { Id: string }).Id
  }
  const address = async (name: string): Promise<string> =>
    (await engine.must<{ NetworkSettings: { IPAddress: string } }>("GET", `/containers/${name}/json`)).NetworkSettings
      .IPAddress
  const inside = async (name: string, command: string): Promise<string> => {
    const body = { Cmd: ["sh", "-c", command], AttachStdout: true, AttachStderr: true, Tty: true }
    const { Id } = await engine.must<{ Id: string }>("POST", `/containers/${name}/exec`, body)
    return (await engine.call("POST", `/exec/${Id}/start`, { Tty: true })).text.replaceAll("\r", "").trim()
  }
  const links = async (name: string): Promise<unknown> =>
    (await engine.must<{ HostConfig: { Links: unknown } }>("GET", `/containers/${name}/json`)).HostConfig.Links
  const names = async (query = ""): Promise<string[][]> =>
    (await engine.must<{ Names: string[] }[]>("GET", `/containers/json?all=1${query}`)).map(({ Names }) => Names)
  const remove = async (...all: readonly string[]): Promise<void> => {
    for (const name of all) await engine.must("DELETE", `/containers/${name}?force=1`)
  }

  test("bring the other's names, address, ports and variables, and give it a name more", async () => {
    const config = { Env: ["SECRET=x", "PATH=/bin"], ExposedPorts: { "5432/tcp": {} }, Hostname: "store" }
    const id = await run("db", [], {}, config)
    await run("web", ["db:my-db", "db"], {}, { Env: ["MY_DB_ENV_SECRET=mine"] })
    const ip = await address("db")
    expect(await inside("web", "tail -n 2 /etc/hosts")).toBe(`${ip}\tmy-db store db\n${ip}\tdb store`)
    const variables = (await inside("web", "env; tr '\\0' '\\n' </proc/1/environ")).split("\n")
    // Of the process itself and of what is executed beside it.
    for (const line of [
      ...[`MY_DB_PORT=tcp://${ip}:5432`, `MY_DB_PORT_5432_TCP_ADDR=${ip}`, "MY_DB_NAME=/web/my-db"],
      ...["DB_ENV_SECRET=x", "DB_NAME=/web/db", "MY_DB_ENV_SECRET=mine"],
    ])
      expect(variables.filter((one) => one === line)).toHaveLength(2)
    expect(await links("web")).toEqual(["/db:/web/my-db", "/db:/web/db"])
    expect(await names(`&filters=${encodeURIComponent('{"name":["web/my"]}')}`)).toEqual([
      ["/db", "/web/my-db", "/web/db"],
    ])
    expect(await engine.must("GET", "/containers/web/my-db/json")).toMatchObject({ Id: id, Name: "/db" })
    expect((await engine.call("GET", "/containers/web/nobody/json")).status).toBe(404)
    // The names are those of the moment.
    await engine.must("POST", "/containers/web/rename?name=site")
    await engine.must("POST", "/containers/db/rename?name=data")
    expect(await links("site")).toEqual(["/data:/site/my-db", "/data:/site/db"])
    await remove("site", "data")
  })

  test("follow the other to its next address, kept over a restart of the engine", async () => {
    await run("db")
    await run("web", ["db"], {}, { Cmd: ["sh", "-c", "echo 192.0.2.1 own >>/etc/hosts; exec sleep 600"] })
    const first = await address("db")
    await engine.must("POST", "/containers/db/kill")
    await engine.must("POST", "/containers/db/wait")
    // Whoever comes meanwhile takes the address that is free.
    await run("taker")
    await engine.kill()
    await engine.start()
    await engine.must("POST", "/containers/db/start")
    const second = await address("db")
    const hosts = await inside("web", "cat /etc/hosts")
    expect(hosts).toContain(`${second}\tdb `)
    if (first !== second) expect(hosts).not.toContain(`${first}\tdb `)
    expect(hosts).toContain("192.0.2.1 own")
    expect(await links("web")).toEqual(["/db:/web/db"])
    await remove("db", "web", "taker")
  })

  test("are removed by name, and without the other there is none", async () => {
    await run("db")
    await run("web", ["db:one", "db:two"])
    expect((await engine.call("DELETE", "/containers/web?link=1")).text).toContain(
      "cannot remove the default link name",
    )
    expect((await engine.call("DELETE", "/containers/nobody/one?link=1")).status).toBe(404)
    await engine.must("DELETE", "/containers/web/one?link=1")
    expect(await links("web")).toEqual(["/db:/web/two"])
    expect(await names()).toEqual([["/web"], ["/db", "/web/two"]])
    await remove("db")
    expect(await links("web")).toBeNull()
    await engine.must("POST", "/containers/web/restart?t=0")
    expect(await inside("web", "env | grep -c TWO_")).toBe("0")
    await remove("web")
  })

  test("that cannot be are refused in Docker's words", async () => {
    const refused = async (given: readonly string[], host: Body = {}): Promise<unknown[]> => {
      const { status, json } = await create("never", given, host)
      return [status, (json as { message: string }).message]
    }
    const conflict = "host type networking can't be used with links. This would result in undefined behavior"
    await run("db")
    await run("open", [], { NetworkMode: "host" })
    await run("alone", [], { NetworkMode: "none" })
    expect(await refused(["gone:x"])).toEqual([400, "could not get container for gone: No such container: gone"])
    expect(await refused(["open"])).toEqual([400, `conflicting options: ${conflict}`])
    expect(await refused(["db"], { NetworkMode: "host" })).toEqual([400, `conflicting options: ${conflict}`])
    expect(await refused(["db"], { NetworkMode: "container:db" })).toEqual([
      400,
      "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    ])
    expect(await refused(["a:b:c"])).toEqual([400, "bad format for links: a:b:c"])
    expect(await refused([""])).toEqual([400, "empty string specified for links"])
    // What is only seen when it starts.
    await engine.must("POST", "/containers/db/kill")
    await engine.must("POST", "/containers/db/wait")
    expect((await create("late", ["db:x"])).status).toBe(201)
    const late = await engine.call("POST", "/containers/late/start")
    expect([late.status, late.json]).toEqual([
      500,
      { message: "Cannot link to a non running container: /db AS /late/x" },
    ])
    expect((await create("apart", ["alone"])).status).toBe(201)
    const apart = await engine.call("POST", "/containers/apart/start")
    expect(apart.text).toContain("Cannot link to /alone, as it does not belong to the default network")
    // Whose network the other shares is the one that is linked to.
    await engine.must("POST", "/containers/db/start")
    await run("shares", [], { NetworkMode: "container:db" })
    await run("web", ["shares:s"])
    expect(await links("web")).toEqual(["/db:/web/s"])
    await remove("web", "shares", "apart", "late", "alone", "open", "db")
    await agree(engine)
  })

  test.skipIf(dockerProgram === undefined)("are docker's --link, ps and rm --link", async () => {
    const client = docker(engine)
    await client.ok("run", "-d", "--name", "db", "--expose", "80", "bb", "sleep", "600")
    const output = await client.ok(
      "run",
      "--name",
      "web",
      "--link",
      "db:store",
      "bb",
      "sh",
      "-c",
      "grep store /etc/hosts; env",
    )
    expect(output).toContain(`${await address("db")}\tstore`)
    expect(output).toContain("STORE_PORT_80_TCP_PORT=80")
    expect(await client.ok("ps", "-a", "--no-trunc", "--format", "{{.Names}}")).toBe("web\ndb,web/store")
    expect(await client.ok("inspect", "-f", "{{.HostConfig.Links}}", "web")).toBe("[/db:/web/store]")
    expect(await client.ok("rm", "--link", "/web/store")).toBe("/web/store")
    await client.ok("rm", "-f", "db", "web")
  })
})

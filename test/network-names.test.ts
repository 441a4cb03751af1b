// Names on user-defined networks as containers see them: what the resolver answers, that it outlives the engine and is
// started again, and that it says why a name has no address. Another name server stands in a container's namespace.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Asked, ask, nameServer, question, send } from "./support/dns.ts"
import { testEngine } from "./support/fixture.ts"

type Inspect = {
  readonly Id: string
  readonly State: { readonly Pid: number }
  readonly ResolvConfPath: string
  readonly NetworkSettings: {
    readonly SandboxKey: string
    readonly Networks: Record<string, { readonly IPAddress: string; readonly GlobalIPv6Address: string }>
  }
}

const MAIN = join(import.meta.dir, "../src/main.ts")
const usable = process.getuid?.() === 0 && existsSync("/bin/busybox")

describe.skipIf(!usable)("names on user-defined networks", () => {
  const engine = testEngine()
  const pid = (name: string): number => containers[name]!.State.Pid
  const address = (name: string, network: string): string =>
    containers[name]!.NetworkSettings.Networks[network]!.IPAddress
  const containers: Record<string, Inspect> = {}
  let upstream: Awaited<ReturnType<typeof nameServer>>

  const run = async (
    name: string,
    network: string,
    { host = {}, endpoint = {}, cmd = ["sleep", "1000"] }: { host?: object; endpoint?: object; cmd?: string[] } = {},
  ): Promise<Inspect> => {
    await engine.must("POST", `/containers/create?name=${name}`, {
      Image: "bb",
      Cmd: cmd,
      HostConfig: { NetworkMode: network, Init: true, ...host },
      NetworkingConfig: { EndpointsConfig: { [network]: endpoint } },
    })
    await engine.must("POST", `/containers/${name}/start`)
    containers[name] = await engine.must<Inspect>("GET", `/containers/${name}/json`)
    return containers[name]
  }
  const from = async (container: string, name: string, options: Partial<Asked> = {}) =>
    await ask(pid(container), { name, type: "A", ...options })
  const addresses = async (container: string, name: string, options: Partial<Asked> = {}): Promise<string[]> =>
    (await from(container, name, options)).values.toSorted()
  const resolverPid = (): number => {
    const lines = Bun.spawnSync(["pgrep", "-f", `internal resolver ${engine.execRoot} `]).stdout.toString()
    return Number(lines.trim().split("\n")[0])
  }
  const eventually = async (body: () => Promise<void>): Promise<void> => {
    for (const deadline = performance.now() + 15_000; ; await Bun.sleep(20)) {
      try {
        await body()
        return
      } catch (error) {
        if (performance.now() > deadline) throw error
      }
    }
  }

  beforeAll(async () => {
    for (const body of [
      { Name: "app", EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00:d4:1::/64" }] } },
      { Name: "other" },
      { Name: "closed", Internal: true },
    ])
      await engine.must("POST", "/networks/create", body)
    await run("ns", "other")
    await engine.must("POST", "/networks/app/connect", { Container: "ns" })
    containers["ns"] = await engine.must<Inspect>("GET", "/containers/ns/json")
    upstream = await nameServer(pid("ns"), "0.0.0.0")
    const dns = { host: { Dns: [address("ns", "other")] } }
    const appDns = { host: { Dns: [address("ns", "app")] } }
    await run("db", "app", { endpoint: { Aliases: ["pg", "both"] } })
    await run("web", "app", { ...appDns, endpoint: { Aliases: ["both"] } })
    await run("asker", "other", dns)
    await run("shut", "closed")
  }, 30_000)
  afterAll(() => upstream?.close())

  test("a container is found by name, alias and short id, with and without its network's name, in any case", async () => {
    const db = address("db", "app")
    for (const name of ["db", "DB", "pg", "db.app", "Pg.APP", containers["db"]!.Id.slice(0, 12)])
      expect([name, await addresses("web", name)]).toEqual([name, [db]])
    expect(await addresses("web", "db", { tcp: true })).toEqual([db])
    expect(await addresses("web", "both")).toEqual([db, address("web", "app")].toSorted())
    const firsts = new Set<string>()
    for (let turn = 0; turn < 4; turn++) firsts.add((await from("web", "both")).values[0] ?? "")
    expect(firsts.size).toBe(2)
    const reverse = `${db.split(".").reverse().join(".")}.in-addr.arpa`
    expect((await from("web", reverse, { type: "PTR" })).values).toEqual(["db.app"])
  })

  test("a name with addresses of one family has an empty answer for the other, never NXDOMAIN", async () => {
    const { IPAddress, GlobalIPv6Address } = containers["db"]!.NetworkSettings.Networks["app"]!
    expect(await addresses("web", "db", { type: "AAAA" })).toEqual([GlobalIPv6Address])
    expect(IPAddress).not.toBe("")
    expect(await from("asker", "ns", { type: "AAAA" })).toMatchObject({ status: "NOERROR", values: [] })
    expect(await from("web", "db", { type: "MX" })).toMatchObject({ status: "NOERROR", values: [] })
  })

  test("a name of elsewhere is asked of the container's server, and kept; a failure says why", async () => {
    expect(await from("asker", "example.test")).toMatchObject({ status: "NOERROR", values: ["203.0.113.7"], ttl: 300 })
    expect(await addresses("asker", "EXAMPLE.test")).toEqual(["203.0.113.7"])
    expect(upstream.asked.filter((name) => name.toLowerCase() === "example.test")).toHaveLength(1)
    const { status, why } = await from("asker", "db")
    expect([status, why]).toEqual([
      "NXDOMAIN",
      `no container named "db" on network other; a container of that name runs on network app; server ${address("ns", "other")} knows no "db" either`,
    ])
    // What does not fit into a packet comes over TCP, and is cut for a client that takes no more.
    expect((await addresses("asker", "long.test", { tcp: true })).length).toBe(100)
    expect(await from("asker", "long.test")).toMatchObject({ truncated: true })
  })

  test("a container on internal networks has nobody else to ask, and is told so", async () => {
    expect(await from("shut", "example.test")).toMatchObject({
      status: "SERVFAIL",
      why: 'no container named "example.test" on network closed; its networks are internal, so no other server is asked',
    })
    expect(await addresses("shut", "shut")).toEqual([address("shut", "closed")])
  })

  test("programs with the C library's resolver and busybox's find names too, and resolv.conf is as Docker writes it", async () => {
    const { ResolvConfPath, State } = containers["web"]!
    const text = readFileSync(ResolvConfPath, "utf8")
    expect(text).toContain("nameserver 127.0.0.11\n")
    expect(text).toMatch(/^options .*ndots:0/m)
    expect(text).toContain(`# ExtServers: [${address("ns", "app")}]\n# Overrides: [nameservers]\n`)
    const script = `mount --bind ${ResolvConfPath} /etc/resolv.conf && getent ahostsv4 db && getent hosts ${address("db", "app")}`
    const libc = Bun.spawnSync(["nsenter", "-t", String(State.Pid), "-n", "unshare", "-m", "sh", "-c", script])
    expect(libc.stdout.toString()).toContain(address("db", "app"))
    expect(libc.stdout.toString()).toContain("db.app")
    const busybox = Bun.spawnSync(["nsenter", "-t", String(State.Pid), "-n", "busybox", "nslookup", "db", "127.0.0.11"])
    expect(busybox.stdout.toString()).toContain(address("db", "app"))
  })

  test("a container that is renamed, connected or disconnected is known so at once", async () => {
    await engine.must("POST", "/containers/db/rename?name=store")
    expect(await addresses("web", "store")).toEqual([address("db", "app")])
    expect((await from("web", "db")).values).toEqual([])
    await engine.must("POST", "/containers/store/rename?name=db")
    await engine.must("POST", "/networks/other/connect", { Container: "db", EndpointConfig: { Aliases: ["late"] } })
    const second = await engine.must<Inspect>("GET", "/containers/db/json")
    expect(await addresses("asker", "late")).toEqual([second.NetworkSettings.Networks["other"]!.IPAddress])
    await engine.must("POST", "/networks/other/disconnect", { Container: "db" })
    expect((await from("asker", "late")).status).toBe("NXDOMAIN")
  })

  test("dhow network resolve says what is answered, from where, and why nothing is", async () => {
    const resolve = async (...words: string[]): Promise<{ status: number; text: string }> => {
      const child = Bun.spawn(
        [process.execPath, MAIN, "-H", `unix://${engine.socket}`, "network", "resolve", ...words],
        {
          stdio: ["ignore", "pipe", "pipe"],
        },
      )
      const [text, complaint] = await Promise.all([child.stdout.text(), child.stderr.text()])
      return { status: await child.exited, text: text + complaint }
    }
    const [db, six] = [address("db", "app"), containers["db"]!.NetworkSettings.Networks["app"]!.GlobalIPv6Address]
    const found = await resolve("web", "pg")
    expect(found.text).toMatch(
      new RegExp(`^pg  A  ${db}  \\(600 s\\)\npg  AAAA  ${six}  .*\n  of db on network app, [\\d.]+ ms\n$`),
    )
    expect(found.status).toBe(0)
    expect((await resolve("pg")).text).toContain("of db on network app\n")
    expect((await resolve("asker", "example.test")).text).toContain(`  from server ${address("ns", "other")}, `)
    expect((await resolve("asker", "example.test")).text).toMatch(
      /^example.test {2}A {2}203.0.113.7 {2}\(\d+ s\)\n {2}kept from server /,
    )
    await engine.must("POST", "/containers/create?name=resting", { Image: "bb", Cmd: ["true"] })
    expect(await resolve("shut", "resting")).toEqual({
      status: 1,
      text: `resting: no address (SERVFAIL)
  no container named "resting" on network closed; its networks are internal, so no other server is asked; container "resting" is not running (created)
`,
    })
    await from("shut", "example.test")
    expect((await resolve("--failures")).text).toMatch(
      / shut +example.test +A +SERVFAIL +no container named "example.test"/,
    )
    expect((await resolve("nobody", "db")).text).toContain("No such container: nobody")
  })

  test("packets of an enemy get a short answer or none, and the next question is answered", async () => {
    const { Pid } = containers["web"]!.State
    const good = question("db", "A")
    const two = Buffer.from(good)
    two[5] = 2
    const endless = Buffer.concat([good.subarray(0, 12), Buffer.of(0xc0, 12, 0, 1, 0, 1)])
    const counted = Buffer.from(good)
    counted.fill(0xff, 6, 12)
    for (const packet of [two, endless, counted]) {
      const answer = await send(Pid, packet)
      expect([answer.length, answer.readUInt16BE(2) & 15]).toEqual([12, 1])
      expect((await send(Pid, packet, { tcp: true })).length).toBe(12)
    }
    for (const silent of [good.subarray(0, 5), Buffer.concat([Buffer.from([1, 2, 0x80]), good.subarray(3)])])
      expect(send(Pid, silent, { milliseconds: 100 })).rejects.toThrow("no answer")
    expect((await from("web", "x", { type: "252" })).status).toBe("REFUSED")
    const many = await Promise.all(Array.from({ length: 100 }, () => addresses("web", "db")))
    expect(new Set(many.flat())).toEqual(new Set([address("db", "app")]))
  })

  test("what a user wrote into resolv.conf stays when networks change", async () => {
    const { ResolvConfPath } = containers["asker"]!
    writeFileSync(ResolvConfPath, `${readFileSync(ResolvConfPath, "utf8")}# mine\n`)
    await engine.must("POST", "/networks/app/connect", { Container: "asker" })
    expect(readFileSync(ResolvConfPath, "utf8")).toEndWith("# mine\n")
    expect(await addresses("asker", "db")).toEqual([address("db", "app")])
    await engine.must("POST", "/networks/app/disconnect", { Container: "asker" })
  })

  test("a server of the container's own can have port 53 of every address", async () => {
    const own = await nameServer(pid("web"), "0.0.0.0")
    try {
      expect(await addresses("web", "db")).toEqual([address("db", "app")])
      expect(await addresses("web", "example.test", { server: "127.0.0.1" })).toEqual(["203.0.113.7"])
    } finally {
      own.close()
    }
  })

  test("the resolver answers while there is no engine, and is started again where it was killed", async () => {
    // A question that a dying process took with it is asked again.
    const soon = { milliseconds: 300 }
    const before = resolverPid()
    expect(before).toBeGreaterThan(1)
    await engine.kill()
    expect(await addresses("web", "db")).toEqual([address("db", "app")])
    await engine.start()
    expect(resolverPid()).toBe(before)
    process.kill(before, "SIGKILL")
    await eventually(async () => expect(await addresses("web", "db", soon)).toEqual([address("db", "app")]))
    expect(resolverPid()).not.toBe(before)
    const again = resolverPid()
    await engine.kill()
    process.kill(again, "SIGKILL")
    await engine.start()
    await eventually(async () =>
      expect(await addresses("web", "pg", { tcp: true, ...soon })).toEqual([address("db", "app")]),
    )
    await run("late", "app")
    expect(await addresses("web", "late")).toEqual([address("late", "app")])
  }, 60_000)

  test("a container that ends takes its sockets with it", async () => {
    const served = join(engine.execRoot, "resolver", "served")
    const before = readdirSync(served).length
    await engine.must("DELETE", "/containers/late?force=true")
    await eventually(async () => expect(readdirSync(served).length).toBe(before - 1))
    expect((await from("web", "late")).values).toEqual([])
  })
})

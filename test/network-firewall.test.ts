// Who reaches whom: real packets between containers of several networks, this host, and a neighbour outside. Needs root.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inNetworkNamespace } from "../src/lib/syscalls/mount.ts"
import type { Networks, PortMapping } from "../src/network/contract.ts"
import { Namespaces } from "../src/network/namespaces.ts"
import { openNetworks } from "../src/network/open.ts"
import { Database } from "../src/state/database.ts"
import { run, until, usable } from "./support/network-fixture.ts"

setDefaultTimeout(60_000)
const TAG = (process.pid % 1_000_000).toString(36)
const OUT = { 4: `198.19.${process.pid % 250}`, 6: `fd77:${(process.pid % 60_000).toString(16)}::` } as const
const servers: { stop(force?: boolean): void }[] = []

describe.skipIf(!usable)("firewall", () => {
  /** What the configuration says, changed while it runs. */
  const usual = { publishAddress: "0.0.0.0" }
  let root = ""
  let database: Database
  let networks: Networks
  let outside: Namespaces
  let lan = ""

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "dhow-firewall-"))
    database = Database.open(join(root, "dhow.db"))
    networks = open()
    await networks.open()
    outside = new Namespaces(join(root, "outside"))
    outside.prepareDirectory()
    outside.create("lan", () => {})
    lan = outside.path("lan")
    await run("ip", "link", "add", `fw${TAG}`, "type", "veth", "peer", "name", "eth0", "netns", lan)
    await run("sysctl", "-qw", `net.ipv6.conf.fw${TAG}.disable_ipv6=0`)
    await run("ip", "addr", "add", `${OUT[4]}.1/24`, "dev", `fw${TAG}`)
    await run("ip", "addr", "add", `${OUT[6]}1/64`, "dev", `fw${TAG}`, "nodad")
    await run("ip", "link", "set", `fw${TAG}`, "up")
    const script = `echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip addr add ${OUT[4]}.2/24 dev eth0
      ip addr add ${OUT[6]}2/64 dev eth0 nodad; ip link set eth0 up
      ip route add default via ${OUT[4]}.1; ip -6 route add default via ${OUT[6]}1`
    expect(await run("nsenter", `--net=${lan}`, "sh", "-c", script)).toEqual({ status: 0, output: "" })
    serve(lan, 80)
  })

  afterAll(async () => {
    for (const server of servers) server.stop(true)
    await networks.close()
    database.close()
    await run("ip", "link", "del", `fw${TAG}`)
    outside.destroy("lan")
    outside.removeDirectory()
    rmSync(root, { recursive: true })
    const { output } = await run("nft", "list", "tables")
    expect(output).not.toContain(`fw${TAG}`)
  })

  function open(): Networks {
    const fixed = { database, execRoot: join(root, "run"), bridge: `fwb${TAG}`, bip: undefined, pool: 0 }
    return openNetworks(Object.defineProperty(fixed, "publishAddress", { get: () => usual.publishAddress }))
  }

  /** Answers each connection, of both families, with who connected. */
  function serve(namespace: string, port: number): void {
    const socket = {
      open: (client: { readonly remoteAddress: string; end(text: string): void }) =>
        void client.end(`from ${client.remoteAddress.replace("::ffff:", "")}\n`),
      data() {},
    }
    servers.push(inNetworkNamespace(namespace, () => Bun.listen({ hostname: "::", port, socket })))
  }

  /** All at once: what is refused takes its time to be so. */
  async function settled(seen: Record<string, Promise<string> | Promise<string>[]>): Promise<object> {
    const entries = Object.entries(seen).map(async ([name, value]) => [
      name,
      await (Array.isArray(value) ? Promise.all(value) : value),
    ])
    return Object.fromEntries(await Promise.all(entries)) as object
  }

  function serveHost(hostname: string, port: number): void {
    const socket = {
      open: (client: { readonly remoteAddress: string; end(text: string): void }) =>
        void client.end(`from ${client.remoteAddress}\n`),
      data() {},
    }
    servers.push(Bun.listen({ hostname, port, socket }))
  }

  async function read(from: string | undefined, host: string, port: number, patience = 3): Promise<string> {
    const enter = from === undefined ? [] : ["nsenter", `--net=${from}`]
    const { output } = await run(
      ...enter,
      "/bin/busybox",
      "timeout",
      "6",
      "/bin/busybox",
      "nc",
      "-w",
      String(patience),
      host,
      String(port),
    )
    return /^from \S+/.exec(output)?.[0] ?? "nothing"
  }

  async function network(name: string, options: Record<string, string> = {}, more: object = {}): Promise<void> {
    await networks.create({ Name: name, Driver: "bridge", EnableIPv6: true, Options: options, ...more })
  }

  async function container(owner: string, on: string, published: Record<string, { HostIp?: string }[]> = {}) {
    const wanted = new Map([[on, {}]])
    const ports: readonly PortMapping[] =
      Object.keys(published).length === 0
        ? []
        : networks.choosePorts(owner, [], published, false, { name: owner, networks: wanted })
    const request = { owner, name: owner, hostname: owner, networks: wanted, ports }
    const { namespace, endpoints } = await networks.attach(request)
    serve(namespace, 80)
    serve(namespace, 81)
    const { IPAddress = "", GlobalIPv6Address = "" } = endpoints[on] ?? {}
    return { namespace, four: IPAddress, six: GlobalIPv6Address, ports }
  }

  test("a network keeps to itself, but for its published ports, which see their clients", async () => {
    await network("one")
    await network("two")
    const a = await container("a", "one", { "80/tcp": [{}] })
    const b = await container("b", "one")
    const c = await container("c", "two")
    const port = a.ports[0]?.hostPort ?? 0
    expect(a.ports.map(({ hostIp, hostPort }) => [hostIp, hostPort])).toEqual([
      ["", port],
      ["::", port],
    ])
    const seen = await settled({
      neighbour: [read(b.namespace, a.four, 81), read(b.namespace, a.six, 81)],
      other: [read(c.namespace, a.four, 80), read(c.namespace, a.six, 80)],
      host: [read(undefined, a.four, 81), read(undefined, a.six, 81)],
      direct: [read(lan, a.four, 80), read(lan, a.six, 80)],
      published: [read(lan, `${OUT[4]}.1`, port), read(lan, `${OUT[6]}1`, port)],
      otherPublished: [read(c.namespace, `${OUT[4]}.1`, port), read(c.namespace, `${OUT[6]}1`, port)],
      hairpin: [read(a.namespace, `${OUT[4]}.1`, port), read(a.namespace, `${OUT[6]}1`, port)],
      localhost: [read(undefined, "127.0.0.1", port), read(undefined, "::1", port)],
      out: [read(c.namespace, `${OUT[4]}.2`, 80), read(c.namespace, `${OUT[6]}2`, 80)],
    })
    const gateway = networks.inspect("one").IPAM.Config.map(({ Gateway }) => Gateway ?? "")
    expect(seen).toEqual({
      neighbour: [`from ${b.four}`, `from ${b.six}`],
      other: ["nothing", "nothing"],
      host: gateway.map((address) => `from ${address}`),
      direct: ["nothing", "nothing"],
      published: [`from ${OUT[4]}.2`, `from ${OUT[6]}2`],
      otherPublished: gateway.map((address) => `from ${address}`),
      hairpin: gateway.map((address) => `from ${address}`),
      localhost: [`from ${gateway[0]}`, "nothing"],
      out: [`from ${OUT[4]}.1`, `from ${OUT[6]}1`],
    })
  })

  test("internal networks, containers kept apart, gateway modes and binding addresses do as Docker's", async () => {
    const OPTION = "com.docker.network"
    await network("closed", {}, { Internal: true })
    await network("apart", { [`${OPTION}.bridge.enable_icc`]: "false" })
    await network("routed", {
      [`${OPTION}.bridge.gateway_mode_ipv4`]: "routed",
      [`${OPTION}.bridge.gateway_mode_ipv6`]: "routed",
    })
    await network("bare", { [`${OPTION}.bridge.gateway_mode_ipv4`]: "nat-unprotected" })
    await network("plain", { [`${OPTION}.bridge.enable_ip_masquerade`]: "false" })
    await network("local", { [`${OPTION}.bridge.host_binding_ipv4`]: "127.0.0.1" })
    const closed = [await container("closed1", "closed"), await container("closed2", "closed")] as const
    const apart = [await container("apart1", "apart", { "80/tcp": [{}] }), await container("apart2", "apart")] as const
    const routed = await container("routed", "routed", { "80/tcp": [{}] })
    const bare = await container("bare", "bare")
    const plain = await container("plain", "plain")
    const local = await container("local", "local", { "80/tcp": [{}] })
    serveHost(`${OUT[4]}.1`, 4747)
    const [gateway4 = "", gateway6 = ""] = networks.inspect("closed").IPAM.Config.map(({ Gateway }) => Gateway ?? "")
    serveHost(gateway4, 4747)
    // Whoever may configure its namespace can give itself a way out; the firewall says no.
    const way = ["ip", "route", "add", "default", "via", gateway4]
    await run("nsenter", `--net=${closed[0].namespace}`, ...way)
    const port = (at: { readonly ports: readonly PortMapping[] }) => at.ports[0]?.hostPort ?? 0
    const seen = await settled({
      within: [read(closed[0].namespace, closed[1].four, 80), read(closed[0].namespace, closed[1].six, 80)],
      gateway: read(closed[0].namespace, gateway4, 4747),
      otherAddress: read(closed[0].namespace, `${OUT[4]}.1`, 4747),
      closedOut: read(closed[0].namespace, `${OUT[4]}.2`, 80),
      hostToClosed: [read(undefined, closed[0].four, 80), read(undefined, closed[0].six, 80)],
      apart: [read(apart[1].namespace, apart[0].four, 80), read(apart[1].namespace, apart[0].six, 80)],
      apartFromHost: read(undefined, apart[0].four, 80),
      apartPublished: read(lan, `${OUT[4]}.1`, port(apart[0])),
      routed: [read(lan, routed.four, 80), read(lan, routed.six, 80), read(lan, routed.four, 81)],
      bare: [read(lan, bare.four, 81), read(lan, bare.six, 81)],
      plainOut: read(plain.namespace, `${OUT[4]}.2`, 80),
      local: [read(undefined, "127.0.0.1", port(local)), read(lan, `${OUT[4]}.1`, port(local))],
    })
    const host = (name: string, family: 0 | 1) => `from ${networks.inspect(name).IPAM.Config[family]?.Gateway}`
    expect(seen).toEqual({
      within: [`from ${closed[0].four}`, `from ${closed[0].six}`],
      gateway: `from ${closed[0].four}`,
      otherAddress: "nothing",
      closedOut: "nothing",
      hostToClosed: [`from ${gateway4}`, `from ${gateway6}`],
      apart: ["nothing", "nothing"],
      apartFromHost: host("apart", 0),
      apartPublished: `from ${OUT[4]}.2`,
      routed: [`from ${OUT[4]}.2`, `from ${OUT[6]}2`, "nothing"],
      bare: [`from ${OUT[4]}.2`, "nothing"],
      // Its own address: the neighbour knows the way back, as a router that was told does.
      plainOut: `from ${plain.four}`,
      local: [host("local", 0), "nothing"],
    })
    expect(local.ports.map(({ hostIp }) => hostIp)).toEqual(["127.0.0.1"])
    usual.publishAddress = "127.0.0.1"
    const choose = (HostIp: string, on: string) =>
      networks
        .choosePorts("choosing", [], { "80/tcp": [{ HostIp }] }, false, { networks: new Map([[on, {}]]) })
        .map(({ hostIp }) => hostIp)
    expect([choose("", "bridge"), choose("", "plain"), choose("0.0.0.0", "plain"), choose("", "one")]).toEqual([
      ["127.0.0.1"],
      ["127.0.0.1"],
      ["0.0.0.0"],
      ["127.0.0.1"],
    ])
    usual.publishAddress = "0.0.0.0"
    await networks.release("choosing")
  })

  test("rules, addresses and bridges that somebody removes are there again at once, and the user's rules stay", async () => {
    await network("kept")
    const kept = await container("kept", "kept", { "80/tcp": [{}] })
    const bridge = `br-${networks.inspect("kept").Id.slice(0, 12)}`
    const port = kept.ports[0]?.hostPort ?? 0
    const reached = async (): Promise<boolean> => (await read(lan, `${OUT[4]}.1`, port, 1)) === `from ${OUT[4]}.2`
    await until(reached)
    const gateway = networks.inspect("kept").IPAM.Config[0]?.Gateway ?? ""
    for (const damage of [
      ["nft", "delete", "table", "inet", bridge],
      ["nft", "flush", "table", "inet", bridge],
      ["ip", "addr", "flush", "dev", bridge],
      ["ip", "link", "del", bridge],
    ]) {
      expect(await run(...damage)).toEqual({ status: 0, output: "" })
      await until(reached)
    }
    expect((await run("ip", "-o", "addr", "show", "dev", bridge)).output).toContain(gateway)
    const table = ["inet", "dhow-user"]
    const user = [...table, "forward"]
    expect(
      (
        await run(
          "nft",
          "add",
          "rule",
          ...user,
          "ip",
          "saddr",
          `${OUT[4]}.2`,
          "meta",
          "l4proto",
          "tcp",
          "ct",
          "original",
          "proto-dst",
          String(port),
          "drop",
        )
      ).output,
    ).toBe("")
    expect(await reached()).toBe(false)
    // A rule for clients: the host itself, and IPv6, are not meant.
    expect(await read(undefined, "127.0.0.1", port)).toBe(`from ${gateway}`)
    expect(await read(lan, `${OUT[6]}1`, port)).toBe(`from ${OUT[6]}2`)
    await run("nft", "delete", "table", "inet", bridge)
    await until(async () => (await run("nft", "list", "table", "inet", bridge)).status === 0)
    expect(await reached()).toBe(false)
    const { output } = await run("nft", "-a", "list", "chain", ...user)
    const handle = new RegExp(`saddr ${OUT[4]}\\.2 .*# handle (\\d+)`).exec(output)?.[1] ?? ""
    expect((await run("nft", "delete", "rule", ...user, "handle", handle)).output).toBe("")
    await until(reached)
  })
})

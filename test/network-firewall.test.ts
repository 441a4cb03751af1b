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
import { run, usable } from "./support/network-fixture.ts"

setDefaultTimeout(60_000)
const TAG = (process.pid % 1_000_000).toString(36)
const OUT = { 4: `198.19.${process.pid % 250}`, 6: `fd77:${(process.pid % 60_000).toString(16)}::` } as const
const servers: { stop(force?: boolean): void }[] = []

describe.skipIf(!usable)("firewall", () => {
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
    return openNetworks({ database, execRoot: join(root, "run"), bridge: `fwb${TAG}`, bip: undefined, pool: 0 })
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

  async function read(from: string | undefined, host: string, port: number): Promise<string> {
    const enter = from === undefined ? [] : ["nsenter", `--net=${from}`]
    const { output } = await run(
      ...enter,
      "/bin/busybox",
      "timeout",
      "3",
      "/bin/busybox",
      "nc",
      "-w",
      "1",
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
    const seen = {
      neighbour: [await read(b.namespace, a.four, 81), await read(b.namespace, a.six, 81)],
      other: [await read(c.namespace, a.four, 80), await read(c.namespace, a.six, 80)],
      host: [await read(undefined, a.four, 81), await read(undefined, a.six, 81)],
      direct: [await read(lan, a.four, 80), await read(lan, a.six, 80)],
      published: [await read(lan, `${OUT[4]}.1`, port), await read(lan, `${OUT[6]}1`, port)],
      otherPublished: [await read(c.namespace, `${OUT[4]}.1`, port), await read(c.namespace, `${OUT[6]}1`, port)],
      hairpin: [await read(a.namespace, `${OUT[4]}.1`, port), await read(a.namespace, `${OUT[6]}1`, port)],
      localhost: [await read(undefined, "127.0.0.1", port), await read(undefined, "::1", port)],
      out: [await read(c.namespace, `${OUT[4]}.2`, 80), await read(c.namespace, `${OUT[6]}2`, 80)],
    }
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
})

// Published ports with real rules: reached, held, handed on.
import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { networkInterfaces } from "node:os"
import { inNetworkNamespace } from "../src/lib/syscalls/mount.ts"
import type { PortMapping } from "../src/network/contract.ts"
import { at, attach, BRIDGE, open, read, run, serve, until, usable, withNetworks } from "./support/network-fixture.ts"

describe.skipIf(!usable)("published ports", () => {
  withNetworks()

  test("are reached through 127.0.0.1, the host's address, and from containers", async () => {
    const ports = at.networks.choosePorts("web", [], { "80/tcp": [{}], "81/tcp": [{ HostIp: "127.0.0.1" }] }, false)
    expect(ports.map(({ containerPort, hostIp }) => [containerPort, hostIp])).toEqual([
      [80, ""],
      [81, "127.0.0.1"],
    ])
    const web = await attach("web", ports)
    const other = await attach("other")
    const [open, local] = ports as [PortMapping, PortMapping]
    using _one = serve(web.namespace, 80)
    using _two = serve(web.namespace, 81)
    const host = Object.values(networkInterfaces())
      .flat()
      .find((candidate) => candidate?.family === "IPv4" && !candidate.internal)!.address
    expect(await read("127.0.0.1", open.hostPort)).toStartWith("served")
    expect(await read(host, open.hostPort)).toStartWith("served")
    expect(await read(host, open.hostPort, other.namespace)).toStartWith("served")
    expect(await read(host, open.hostPort, web.namespace)).toStartWith("served")
    expect(await read("127.0.0.1", local.hostPort)).toStartWith("served")
    expect(await read(host, local.hostPort)).not.toContain("served")
    await at.networks.release("web")
    expect(await read("127.0.0.1", open.hostPort)).not.toContain("served")
  })

  test("carry UDP, also for a client that began to send before, and goes on over a change of container", async () => {
    const replies: string[] = []
    const client = await Bun.udpSocket({
      // Refusals are expected while nothing answers.
      socket: { data: (_socket, data) => void replies.push(data.toString()), error() {} },
    })
    const [port] = at.networks.choosePorts("early", [], { "53/udp": [{}] }, false) as [PortMapping]
    const HostPort = String(port.hostPort)
    const ask = () => client.send("hello", port.hostPort, "127.0.0.1")
    ask()
    for (const name of ["early", "late"]) {
      const ports = at.networks.choosePorts(name, [], { "53/udp": [{ HostPort }] }, false)
      const { namespace } = await attach(name, ports)
      const server = await inNetworkNamespace(namespace, () =>
        Bun.udpSocket({
          hostname: "0.0.0.0",
          port: 53,
          socket: {
            data(socket, data, from, address) {
              socket.send(`${name}: ${data}`, from, address)
            },
          },
        }),
      )
      ask()
      await until(() => replies.includes(`${name}: hello`))
      server.close()
      await at.networks.release(name)
    }
    client.close()
  })

  test("are held: a second container, a process of the host, and a range that is full say who has them", async () => {
    const [held] = at.networks.choosePorts("holder", [], { "80/tcp": [{}] }, false) as [PortMapping]
    const HostPort = String(held.hostPort)
    expect(() => at.networks.choosePorts("late", [], { "80/tcp": [{ HostPort }] }, false, { name: "late" })).toThrow(
      `driver failed programming external connectivity on endpoint late (late): Bind for 0.0.0.0:${HostPort} failed: port is already allocated`,
    )
    expect(() =>
      at.networks.choosePorts("late", [], { "80/tcp": [{ HostPort: `${HostPort}-${HostPort}` }] }, false),
    ).toThrow("port is already allocated")
    expect(() => Bun.listen({ hostname: "0.0.0.0", port: held.hostPort, socket: { data() {} } })).toThrow()
    await at.networks.release("holder")
    using taken = Bun.listen({ hostname: "127.0.0.1", port: held.hostPort, socket: { data() {} } })
    const program = readFileSync("/proc/self/comm", "utf8").trim()
    let error: unknown
    try {
      at.networks.choosePorts("late", [], { "80/tcp": [{ HostPort }] }, false)
    } catch (caught) {
      error = caught
    }
    expect(error).toMatchObject({ kind: "conflict", hint: `It is in use by process ${process.pid} (${program})` })
    expect(String(error)).toContain(`failed to bind host port for 0.0.0.0:${taken.port}:80/tcp: address already in use`)
    expect(
      at.networks.choosePorts(
        "late",
        [],
        { "80/tcp": [{ HostPort: `${held.hostPort}-${held.hostPort + 5}` }] },
        false,
      )[0],
    ).not.toMatchObject({ hostPort: held.hostPort })
  })

  test("may be thousands", async () => {
    const bindings: Record<string, { HostIp: string }[]> = {}
    for (let port = 1; port <= 1500; port++) bindings[`${port}/tcp`] = [{ HostIp: port % 2 === 0 ? "" : "127.0.0.1" }]
    const ports = at.networks.choosePorts("many", [], bindings, false)
    const { namespace } = await attach("many", ports)
    using _server = serve(namespace, 1499)
    expect(await read("127.0.0.1", ports[1498]!.hostPort)).toStartWith("served")
    await at.networks.release("many")
    const { output } = await run("nft", "list", "table", "inet", BRIDGE)
    expect(output).toContain("any4_")
    expect(output).not.toContain("elements")
  })

  test("come from what the image exposes with --publish-all", () => {
    const ports = at.networks.choosePorts("all", ["53/udp", "80/tcp"], {}, true)
    expect(ports.map(({ protocol, containerPort }) => `${containerPort}/${protocol}`)).toEqual(["53/udp", "80/tcp"])
    expect(ports.every(({ hostPort }) => hostPort >= 1024)).toBe(true)
    expect(at.networks.choosePorts("none", ["80/tcp"], { "80/tcp": null }, false)).toEqual([])
  })

  test("are the same after the engine was killed and started again", async () => {
    const ports = at.networks.choosePorts("stays", [], { "80/tcp": [{}] }, false)
    const { namespace } = await attach("stays", ports)
    using _server = serve(namespace, 80)
    const { hostPort } = ports[0]!
    // A second engine on the same state is what a restarted one is, but that the first still holds the socket.
    const again = open()
    await again.open()
    expect(await read("127.0.0.1", hostPort)).toStartWith("served")
    expect(() => again.choosePorts("new", [], { "80/tcp": [{ HostPort: String(hostPort) }] }, false)).toThrow(
      "port is already allocated",
    )
    await again.release("stays")
    expect(await read("127.0.0.1", hostPort)).not.toContain("served")
    await again.close()
  })
})

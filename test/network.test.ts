// The networks with real bridges and namespaces: attachments, the way out, and what a crash or a change leaves behind.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Namespaces } from "../src/network/namespaces.ts"
import {
  at,
  attach,
  BRIDGE,
  inside,
  open,
  read,
  request,
  rules,
  run,
  serve,
  until,
  usable,
  veths,
  withNetworks,
} from "./support/network-fixture.ts"

const OUTSIDE = "198.51.100"

describe.skipIf(!usable)("networks", () => {
  withNetworks()

  test("open() makes bridge, host and none, as Docker shows them", () => {
    const [bridge, host, none] = ["bridge", "host", "none"].map((name) => at.networks.inspect(name))
    expect(bridge).toMatchObject({ Name: "bridge", Driver: "bridge", Scope: "local", EnableIPv6: false })
    expect(bridge?.Id).toMatch(/^[0-9a-f]{64}$/)
    expect(bridge?.Options["com.docker.network.bridge.name"]).toBe(BRIDGE)
    expect([host?.Driver, none?.Driver, host?.IPAM.Config]).toEqual(["host", "null", []])
    expect(at.networks.resolve(bridge!.Id.slice(0, 12))).toEqual({ id: bridge!.Id, name: "bridge", driver: "bridge" })
    expect(() => at.networks.resolve("nothing")).toThrow("network nothing not found")
  })

  test("attach() gives an address, a default route and loopback, and inspect() shows the container", async () => {
    const { namespace, address, endpoint } = await attach("one")
    const { output } = await inside(namespace, "ip", "-o", "addr")
    expect(output).toContain(`inet ${address}/`)
    expect(output).toContain("inet 127.0.0.1/8")
    expect(output).not.toContain("fe80::")
    expect((await inside(namespace, "ip", "route")).output).toContain(`default via ${endpoint?.Gateway} dev eth0`)
    const pinged = await inside(namespace, "/bin/busybox", "ping", "-c1", "-W2", endpoint?.Gateway ?? "")
    expect(pinged.status).toBe(0)
    expect(at.networks.inspect("bridge").Containers["one"]).toMatchObject({
      Name: "one",
      MacAddress: endpoint?.MacAddress,
    })
    expect(at.networks.owners()).toEqual(["one"])
  })

  test("attach() of many at once gives each an address of its own, and they reach one another", async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, index) => attach(`burst-${index}`)))
    expect(new Set(all.map(({ address }) => address)).size).toBe(12)
    using _server = serve(all[0]!.namespace, 7777)
    expect(await read(all[0]!.address, 7777, all[11]!.namespace)).toBe(`served ${all[11]!.address}\n`)
  })

  test("attach() takes a MAC address and refuses what Docker refuses on the default bridge", async () => {
    const MacAddress = "02:00:00:00:00:7f"
    const { namespace } = await at.networks.attach(request("mac", { networks: new Map([["bridge", { MacAddress }]]) }))
    expect((await inside(namespace, "ip", "link", "show", "eth0")).output).toContain(MacAddress)
    const fixed = new Map([["bridge", { IPAMConfig: { IPv4Address: "172.17.0.9" } }]])
    expect(at.networks.attach(request("fixed", { networks: fixed }))).rejects.toThrow(
      "user specified IP address is supported on user defined networks only",
    )
  })

  test("release() removes the namespace and its interface, and an address rests before it is given again", async () => {
    const first = await attach("first")
    await at.networks.release("first")
    expect(existsSync(first.namespace)).toBe(false)
    expect(at.networks.owners()).toEqual([])
    const second = await attach("second")
    expect(second.address).not.toBe(first.address)
    await at.networks.release("second")
    await at.networks.release("second")
    await at.networks.release("unknown")
  })

  test("isolate() gives loopback and nothing else", async () => {
    const { namespace, endpoints } = await at.networks.isolate("alone")
    expect(endpoints).toEqual({})
    const { output } = await inside(namespace, "ip", "-o", "addr")
    expect(output).toContain("127.0.0.1/8")
    expect(output).not.toContain("eth0")
  })

  test("an unmount is seen by mount namespaces made before, so that no copy keeps a namespace alive", async () => {
    const { namespace } = await attach("seen")
    const child = Bun.spawn(["unshare", "--mount", "--propagation", "slave", "/bin/busybox", "sleep", "60"])
    try {
      await until(() => readFileSync(`/proc/${child.pid}/mounts`, "utf8").includes(namespace))
      await until(() => readFileSync(`/proc/${child.pid}/comm`, "utf8").trim() === "busybox")
      await at.networks.release("seen")
      expect(readFileSync(`/proc/${child.pid}/mounts`, "utf8")).not.toContain(namespace)
    } finally {
      child.kill("SIGKILL")
      await child.exited
    }
  })

  test("an interface whose namespace something else holds is taken off the bridge after a while", async () => {
    const { namespace } = await attach("held")
    const child = Bun.spawn(["nsenter", `--net=${namespace}`, "/bin/busybox", "sleep", "60"])
    try {
      await until(() => readFileSync(`/proc/${child.pid}/comm`, "utf8").trim() === "busybox")
      const held = `veth${namespace.slice(-10)}`
      await at.networks.release("held")
      expect(veths()).toContain(held)
      await until(() => !veths().includes(held))
    } finally {
      child.kill("SIGKILL")
      await child.exited
    }
  })

  describe("beyond the host", () => {
    let outside: string
    let namespaces: Namespaces

    beforeEach(async () => {
      namespaces = new Namespaces(join(at.root, "outside"))
      namespaces.prepareDirectory()
      namespaces.create("lan", () => {})
      outside = namespaces.path("lan")
      const name = `${BRIDGE}o`
      await run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", outside)
      await run("ip", "addr", "add", `${OUTSIDE}.1/24`, "dev", name)
      await run("ip", "link", "set", name, "up")
      await inside(outside, "ip", "addr", "add", `${OUTSIDE}.2/24`, "dev", "eth0")
      await inside(outside, "ip", "link", "set", "eth0", "up")
      await inside(outside, "ip", "route", "add", "default", "via", `${OUTSIDE}.1`)
    })

    afterEach(async () => {
      await run("ip", "link", "del", `${BRIDGE}o`)
      namespaces.destroy("lan")
      namespaces.removeDirectory()
    })

    test("containers come as the host, published ports let in, others do not", async () => {
      const ports = at.networks.choosePorts("lan", [], { "80/tcp": [{}] }, false)
      const { namespace, address } = await attach("lan", ports)
      using _lan = serve(outside, 9999)
      expect(await read(`${OUTSIDE}.2`, 9999, namespace)).toBe(`served ${OUTSIDE}.1\n`)
      using _published = serve(namespace, 80)
      using _unpublished = serve(namespace, 81)
      expect(await read(`${OUTSIDE}.1`, ports[0]!.hostPort, outside)).toBe(`served ${OUTSIDE}.2\n`)
      expect(await read(address, 81, outside)).not.toContain("served")
    })

    test("containers do not reach what listens on the host's loopback only", async () => {
      const { namespace, endpoint } = await attach("curious")
      using server = Bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        socket: { open: (socket) => void socket.end("secret"), data() {} },
      })
      // As a privileged container could: packets for 127.0.0.1 leave through eth0.
      const script = `echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo;
        ip route add 127.0.0.1 via ${endpoint?.Gateway} src ${endpoint?.IPAddress}`
      expect(await inside(namespace, "sh", "-c", script)).toEqual({ status: 0, output: "" })
      expect(await read("127.0.0.1", server.port, namespace)).not.toContain("secret")
      // So that the test would notice: without the rule it arrives.
      await run("nft", "flush", "chain", "inet", BRIDGE, "input")
      expect(await read("127.0.0.1", server.port, namespace)).toContain("secret")
    })
  })

  describe("after a crash", () => {
    test("open() adopts ready namespaces and sweep() removes what nobody owns", async () => {
      await attach("alive")
      const dead = await attach("dead")
      await until(() => veths().length === 4)
      writeFileSync(join(at.root, "run/netns/0123456789"), "")
      const again = open()
      await again.open()
      expect(veths().length).toBe(4)
      const removed = await again.sweep(new Set(["alive"]))
      expect(removed).toContain("network namespace of dead")
      expect(removed).toContain("network namespace 0123456789")
      expect(existsSync(dead.namespace)).toBe(false)
      expect(again.owners()).toEqual(["alive"])
      await again.close()
    })

    test("a bridge that was deleted and rules that were flushed are made again", async () => {
      await attach("before")
      await run("ip", "link", "del", BRIDGE)
      const { namespace, endpoint } = await attach("after")
      const { status } = await inside(namespace, "/bin/busybox", "ping", "-c1", "-W2", endpoint?.Gateway ?? "")
      expect(status).toBe(0)
      await run("nft", "delete", "table", "inet", BRIDGE)
      const again = open()
      await again.open()
      await until(async () => (await rules()).includes(`table inet ${BRIDGE}`))
      await again.close()
    })

    test("the subnet stays, and `bip` fixes another when nothing runs", async () => {
      // Without pools: the engines before the last are dead in real life, and must keep still here.
      await at.networks.close()
      at.networks = open({ pool: 0 })
      await at.networks.open()
      await attach("first")
      const subnet = at.networks.inspect("bridge").IPAM.Config[0]?.Subnet
      const again = open({ pool: 0 })
      await again.open()
      expect(again.inspect("bridge").IPAM.Config[0]?.Subnet).toBe(subnet!)
      await again.release("first")
      const other = open({ bip: "10.213.7.1/24" })
      await other.open()
      const { namespace, endpoints } = await other.attach(request("fixed"))
      const { IPAddress, Gateway, IPPrefixLen } = endpoints["bridge"] ?? {}
      expect([IPAddress, Gateway, IPPrefixLen]).toEqual(["10.213.7.2", "10.213.7.1", 24])
      expect((await inside(namespace, "/bin/busybox", "ping", "-c1", "-W2", "10.213.7.1")).status).toBe(0)
      expect(await rules()).not.toContain(subnet!)
      at.networks = other
    })
  })
})

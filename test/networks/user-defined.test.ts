// Networks of the user's: made, joined, left and removed over the API, with real interfaces and packets in between.
import { describe, expect, test } from "bun:test"
import { testEngine } from "../support/fixture.ts"

type Endpoint = {
  IPAddress: string
  Gateway: string
  GlobalIPv6Address: string
  MacAddress: string
  DNSNames: string[] | null
  Aliases: string[] | null
}
type Inspect = {
  Id: string
  Containers: Record<string, { Name: string; IPv4Address: string }>
  IPAM: {
    Config: { Subnet?: string; Gateway?: string; IPRange?: string; AuxiliaryAddresses?: Record<string, string> }[]
  }
  Options: Record<string, string>
}

describe.skipIf(process.getuid?.() !== 0)("networks of the user's", () => {
  const engine = testEngine()
  const make = async (Name: string, body: Record<string, unknown> = {}) =>
    (await engine.must("POST", "/networks/create", { Name, ...body })) as { Id: string; Warning: string }
  const show = async (name: string) => (await engine.must("GET", `/networks/${name}`)) as Inspect
  const said = async (method: string, path: string, body?: unknown) => {
    const { status, text } = await engine.call(method, path, body)
    return `${status} ${text.trim()}`
  }
  const start = async (name: string, networks: Record<string, object>, host: Record<string, unknown> = {}) => {
    await engine.must("POST", `/containers/create?name=${name}`, {
      Image: "bb",
      Cmd: ["sh", "-c", "while :; do echo $(hostname) | nc -l -p 80; done"],
      HostConfig: { NetworkMode: Object.keys(networks)[0], ...host },
      NetworkingConfig: { EndpointsConfig: networks },
    })
    await engine.must("POST", `/containers/${name}/start`)
  }
  const endpoints = async (name: string) => {
    const { NetworkSettings } = (await engine.must("GET", `/containers/${name}/json`)) as {
      NetworkSettings: { Networks: Record<string, Endpoint> }
    }
    return NetworkSettings.Networks
  }
  /** What a command prints in a container. */
  const inside = async (name: string, script: string) => {
    const { Id } = (await engine.must("POST", `/containers/${name}/exec`, {
      Cmd: ["sh", "-c", script],
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    })) as { Id: string }
    const { text } = await engine.call("POST", `/exec/${Id}/start`, { Detach: false, Tty: true })
    return text.replaceAll("\r", "")
  }
  /** Whether a container's server answers another container at an address: retried while it is to, for it may be starting. */
  const reaches = async (from: string, address: string, isWanted: boolean) => {
    for (let tries = 0; ; tries++) {
      const answer = await inside(from, `nc -w 1 ${address} 80 </dev/null`)
      const isReached = /^[0-9a-z]+\n/.test(answer) && !answer.includes("nc:")
      if (isReached === isWanted || tries >= (isWanted ? 20 : 1)) return isReached
    }
  }
  const remove = async (...names: string[]) => {
    for (const name of names) await engine.must("DELETE", `/containers/${name}?force=1`)
  }

  test("are made with what is asked for, and shown with it", async () => {
    const { Warning } = await make("shown", {
      IPAM: {
        Config: [
          {
            Subnet: "10.231.0.0/24",
            IPRange: "10.231.0.128/26",
            Gateway: "10.231.0.2",
            AuxiliaryAddresses: { printer: "10.231.0.130" },
          },
        ],
      },
      Options: { "com.docker.network.driver.mtu": "1300" },
      Labels: { a: "b" },
    })
    expect(Warning).toBe("")
    expect(await show("shown")).toMatchObject({
      Name: "shown",
      Driver: "bridge",
      Scope: "local",
      EnableIPv4: true,
      EnableIPv6: false,
      Internal: false,
      IPAM: {
        Driver: "default",
        Config: [
          {
            Subnet: "10.231.0.0/24",
            IPRange: "10.231.0.128/26",
            Gateway: "10.231.0.2",
            AuxiliaryAddresses: { printer: "10.231.0.130" },
          },
        ],
      },
      Options: { "com.docker.network.driver.mtu": "1300" },
      Labels: { a: "b" },
    })
    await start("one", { shown: {} })
    await start("two", {
      shown: {
        IPAMConfig: { IPv4Address: "10.231.0.77", LinkLocalIPs: ["169.254.7.7"] },
        MacAddress: "02:00:00:00:00:77",
      },
    })
    await start("three", { shown: {} })
    expect((await endpoints("one"))["shown"]).toMatchObject({ IPAddress: "10.231.0.128", Gateway: "10.231.0.2" })
    expect((await endpoints("two"))["shown"]).toMatchObject({
      IPAddress: "10.231.0.77",
      MacAddress: "02:00:00:00:00:77",
    })
    expect(await inside("two", "ip -o addr show dev eth0")).toContain("inet 169.254.7.7/16 ")
    // The one between is the printer's.
    expect((await endpoints("three"))["shown"]?.IPAddress).toBe("10.231.0.129")
    expect(await inside("two", "cat /sys/class/net/eth0/mtu /sys/class/net/eth0/address")).toBe(
      "1300\n02:00:00:00:00:77\n",
    )
    expect(
      Object.values((await show("shown")).Containers)
        .map(({ Name }) => Name)
        .sort(),
    ).toEqual(["one", "three", "two"])
    await engine.must("POST", "/containers/create?name=out", {
      Image: "bb",
      Cmd: ["true"],
      HostConfig: { NetworkMode: "shown" },
      NetworkingConfig: { EndpointsConfig: { shown: { IPAMConfig: { IPv4Address: "10.99.0.1" } } } },
    })
    expect(await said("POST", "/containers/out/start")).toMatch(/^400 .*no configured subnet contains IP address 10.99/)
    expect(await said("DELETE", "/networks/shown")).toMatch(/^403 .*network shown has active endpoints \(name:/)
    await remove("one", "two", "three")
    await engine.must("POST", "/containers/prune")
    await engine.must("DELETE", "/networks/shown")
    expect(await said("GET", "/networks/shown")).toContain("404 ")
  })

  test("what cannot be is refused in Docker's words", async () => {
    await make("taken", { IPAM: { Config: [{ Subnet: "10.232.0.0/24" }] } })
    const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ Name: "taken" }, /^409 .*network with name taken already exists/],
      [{ Name: "" }, /^400 .*invalid name: name is empty/],
      [{ Name: "host" }, /^403 .*operation is not permitted on predefined host network/],
      [{ Name: "x", Driver: "overlay" }, /^403 .*This node is not a swarm manager/],
      [{ Name: "x", Driver: "weave" }, /^404 .*weave/],
      [{ Name: "x", Driver: "null" }, /^403 .*only one instance of \\"null\\" network is allowed/],
      [{ Name: "x", IPAM: { Config: [{ Subnet: "10.232.0.128/25" }] } }, /^403 .*Pool overlaps with other one/],
      [{ Name: "x", IPAM: { Config: [{ Subnet: "10.233.0.1/24" }] } }, /^400 .*it should be 10.233.0.0\/24/],
      [{ Name: "x", IPAM: { Config: [{ Subnet: "10.233.0.0" }] } }, /^400 .*invalid CIDR block notation/],
      [
        { Name: "x", IPAM: { Config: [{ Subnet: "10.233.0.0/24", Gateway: "10.0.0.1" }] } },
        /^400 .*contain this address/,
      ],
      [
        { Name: "x", IPAM: { Config: [{ Subnet: "10.233.0.0/24", IPRange: "10.0.0.0/8" }] } },
        /^400 .*CIDR block is bigger/,
      ],
      [{ Name: "x", IPAM: { Driver: "cloud" } }, /^404 .*plugin \\"cloud\\" not found/],
      [
        { Name: "x", IPAM: { Config: [{ Subnet: "10.233.0.0/24" }, { Subnet: "10.234.0.0/24" }] } },
        /^403 .*multiple subnets/,
      ],
      [{ Name: "x", EnableIPv4: false }, /^400 .*IPv4 or IPv6 must be enabled/],
      [{ Name: "x", Options: { "com.docker.network.bridge.enable_icc": "maybe" } }, /^400 .*failed to parse/],
      [{ Name: "x", Options: { "com.docker.network.driver.mtu": "-3" } }, /^400 .*invalid MTU number: -3/],
      [{ Name: "x", Driver: "macvlan", Options: { parent: "lo" } }, /^400 .*loopback interface/],
      [{ Name: "x", ConfigFrom: { Network: "taken" } }, /^404 .*configuration network \\"taken\\" does not exist/],
      [{ Name: "x", Ingress: true }, /^403 .*Ingress network/],
      [{ Name: "x", Scope: "swarm" }, /^403 .*swarm is not active/],
      [{ Name: "x", Options: { "com.docker.network.bridge.name": "a/b" } }, /^400 .*invalid bridge name/],
    ]
    for (const [body, text] of cases) {
      const answer = await said("POST", "/networks/create", body)
      expect(`${JSON.stringify(body)} ${answer}`).toMatch(new RegExp(`.* ${text.source.slice(1)}`))
    }
    expect(await said("DELETE", "/networks/bridge")).toMatch(/^403 .*pre-defined network and cannot be removed/)
    // The name of one is the id of another: the id is what is meant.
    const { Id: id } = await show("taken")
    await make(id)
    await engine.must("DELETE", `/networks/${id}`)
    expect(await said("GET", "/networks/taken")).toMatch(/^404 /)
    await engine.must("DELETE", `/networks/${id}`)
    const names = ((await engine.must("GET", "/networks")) as { Name: string }[]).map(({ Name }) => Name)
    expect(names.sort()).toEqual(["bridge", "host", "none"])
  })

  test("a container is on several, leaves one while it runs, and comes back", async () => {
    await make("front")
    await make("back", { EnableIPv6: true })
    await make("inner", { Internal: true })
    await start("web", { front: { Aliases: ["www"] }, back: {}, inner: { GwPriority: 5 } })
    await start("db", { back: {} })
    const before = await endpoints("web")
    expect(Object.keys(before).sort()).toEqual(["back", "front", "inner"])
    expect(before["front"]?.DNSNames).toEqual(expect.arrayContaining(["web", "www"]))
    expect(before["back"]?.GlobalIPv6Address).toMatch(/^fd/)
    const db = (await endpoints("db"))["back"]
    const [four = "", six = ""] = [db?.IPAddress, db?.GlobalIPv6Address]
    expect(await reaches("web", four, true)).toBe(true)
    expect(await inside("web", `ping -6 -c 1 -W 5 ${six} >/dev/null && echo there`)).toBe("there\n")

    expect(await engine.must("GET", "/dhow/networks/map?network=back")).toMatchObject({
      Networks: [{ Name: "back", Together: true, Out: "masqueraded", Containers: [{ Name: "db" }, { Name: "web" }] }],
      Reaches: [{ From: "db", To: "web", Networks: ["back"] }],
      Ports: [],
    })
    expect(await said("GET", "/dhow/networks/map?network=nothere")).toMatch(/^404 .*network nothere not found/)

    // Partition: nothing of it is left in the container, and nothing comes through.
    await engine.must("POST", "/networks/back/disconnect", { Container: "web" })
    expect(Object.keys(await endpoints("web")).sort()).toEqual(["front", "inner"])
    expect(await inside("web", "ip -4 -o addr show | grep -c eth")).toBe("2\n")
    expect(await inside("web", "ip -4 route show default")).toContain(`via ${before["front"]?.Gateway} `)
    expect(await inside("web", "cat /etc/hosts")).not.toContain(before["back"]?.IPAddress ?? "?")
    expect(await said("POST", "/networks/back/disconnect", { Container: "web" })).toMatch(/^500 .*is not connected/)

    await engine.must("POST", "/networks/back/connect", {
      Container: "web",
      EndpointConfig: { Aliases: ["again"], GwPriority: 9 },
    })
    expect((await endpoints("web"))["back"]?.Aliases).toEqual(["again"])
    expect(await reaches("web", four, true)).toBe(true)
    expect(await inside("web", "ip -4 route show default")).toContain(`via ${before["back"]?.Gateway} `)
    expect(await said("POST", "/networks/back/connect", { Container: "web" })).toMatch(
      /^403 .*already exists in network/,
    )
    await remove("web", "db")
    expect(
      ((await engine.must("POST", "/networks/prune")) as { NetworksDeleted: string[] }).NetworksDeleted.sort(),
    ).toEqual(["back", "front", "inner"])
  })

  test("one that does not run is connected for its next start, and one that left all of them has none", async () => {
    await make("later")
    await engine.must("POST", "/containers/create?name=idle", { Image: "bb", Cmd: ["sleep", "600"] })
    await engine.must("POST", "/networks/later/connect", { Container: "idle" })
    await engine.must("POST", "/networks/bridge/disconnect", { Container: "idle" })
    expect(Object.keys(await endpoints("idle"))).toEqual(["later"])
    await engine.must("POST", "/containers/idle/start")
    expect((await endpoints("idle"))["later"]?.IPAddress).not.toBe("")
    await engine.must("POST", "/networks/later/disconnect", { Container: "idle" })
    await engine.must("POST", "/containers/idle/restart?t=0")
    expect(await endpoints("idle")).toEqual({})
    expect(await inside("idle", "ls /sys/class/net")).toBe("lo\n")
    await remove("idle")
    await engine.must("DELETE", "/networks/later")
  })

  test("a container keeps its networks over a kill of the engine, published ports too", async () => {
    await make("kept")
    const binding = { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } }
    await start("served", { kept: {} }, binding)
    const ports = async () =>
      (
        (await engine.must("GET", "/containers/served/json")) as {
          NetworkSettings: { Ports: Record<string, { HostPort: string }[]> }
        }
      ).NetworkSettings.Ports["80/tcp"]?.[0]?.HostPort ?? ""
    const port = await ports()
    const { Id } = (await engine.must("GET", "/containers/served/json")) as { Id: string }
    const ask = async () => {
      for (let tries = 0; ; tries++) {
        const child = Bun.spawn(["/bin/busybox", "nc", "-w", "2", "127.0.0.1", port], {
          stdin: "ignore",
          stdout: "pipe",
        })
        const text = await child.stdout.text()
        if (text !== "" || tries > 20) return text
        await Bun.sleep(50)
      }
    }
    expect(await ask()).toBe(`${Id.slice(0, 12)}\n`)
    const before = await endpoints("served")
    await engine.kill()
    expect(await ask()).toBe(`${Id.slice(0, 12)}\n`)
    await engine.start()
    expect(await endpoints("served")).toEqual(before)
    expect(await ask()).toBe(`${Id.slice(0, 12)}\n`)
    await make("more")
    await engine.must("POST", "/networks/more/connect", { Container: "served" })
    await engine.must("POST", "/networks/kept/disconnect", { Container: "served" })
    // The ports go where the container is left by.
    expect(await ports()).toBe(port)
    expect(await ask()).toBe(`${Id.slice(0, 12)}\n`)
    await remove("served")
    await engine.must("POST", "/networks/prune")
  })

  test("a macvlan without a parent joins containers, and leads nowhere", async () => {
    await make("wire", { Driver: "macvlan", IPAM: { Config: [{ Subnet: "10.235.0.0/24" }] } })
    await start("left", { wire: {} })
    await start("right", { wire: {} })
    expect(await reaches("left", (await endpoints("right"))["wire"]?.IPAddress ?? "", true)).toBe(true)
    await remove("left", "right")
    await engine.must("DELETE", "/networks/wire")
  })

  test("a configuration is lent to networks, and kept while one has it", async () => {
    await make("lender", {
      ConfigOnly: true,
      IPAM: { Config: [{ Subnet: "10.236.0.0/24" }] },
      Options: { "com.docker.network.driver.mtu": "1280" },
    })
    await make("borrower", { ConfigFrom: { Network: "lender" } })
    expect(await show("borrower")).toMatchObject({
      ConfigFrom: { Network: "lender" },
      IPAM: { Config: [{ Subnet: "10.236.0.0/24", Gateway: "10.236.0.1" }] },
      Options: { "com.docker.network.driver.mtu": "1280" },
    })
    expect(await said("DELETE", "/networks/lender")).toMatch(/^403 .*configuration network \\"lender\\" is in use/)
    await engine.must("DELETE", "/networks/borrower")
    await engine.must("DELETE", "/networks/lender")
  })
})

// Limits of traffic, with real packets: bytes are counted by whoever gets them while a limit holds, and without one.
import { describe, expect, test } from "bun:test"
import { testEngine } from "../support/fixture.ts"

type Interface = Record<string, number>

describe.skipIf(process.getuid?.() !== 0)("a limit of traffic", () => {
  const engine = testEngine()
  const SLOW = 800_000
  const MEGABYTES = 1
  const said = async (method: string, path: string, body?: unknown) => {
    const { status, text } = await engine.call(method, path, body)
    return `${status} ${text.trim()}`
  }
  const create = async (name: string, host: Record<string, unknown>) => {
    await engine.must("POST", `/containers/create?name=${name}`, {
      Image: "bb",
      Cmd: ["sh", "-c", `dd if=/dev/zero of=/zeros bs=64k count=${MEGABYTES * 16}; exec busybox httpd -f -p 80 -h /`],
      HostConfig: { NetworkMode: "limited", ...host },
    })
    await engine.must("POST", `/containers/${name}/start`)
  }
  const address = async (name: string, network = "limited") => {
    const { NetworkSettings } = (await engine.must("GET", `/containers/${name}/json`)) as {
      NetworkSettings: { Networks: Record<string, { IPAddress: string }> }
    }
    return NetworkSettings.Networks[network]?.IPAddress ?? ""
  }
  const inside = async (name: string, script: string) => {
    const { Id } = (await engine.must("POST", `/containers/${name}/exec`, {
      Cmd: ["sh", "-c", script],
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    })) as { Id: string }
    return (await engine.call("POST", `/exec/${Id}/start`, { Detach: false, Tty: true })).text.replaceAll("\r", "")
  }
  const fetchAll = async (from: string, ip: string) => {
    for (let tries = 0; tries < 40; tries++) {
      const began = performance.now()
      const request = "GET /zeros HTTP/1.0\\r\\n\\r\\n"
      const text = await inside(from, `printf '${request}' | nc ${ip} 80 | wc -c`)
      const bytes = Number(text.trim().split("\n").at(-1))
      if (bytes >= MEGABYTES * 1024 ** 2) return (performance.now() - began) / 1000
    }
    throw new Error("the server did not answer as a whole")
  }
  const usage = async (name: string) => {
    const { networks } = (await engine.must("GET", `/containers/${name}/stats?stream=0&one-shot=1`)) as {
      networks: Record<string, Interface>
    }
    return networks
  }
  const limits = async (name: string, device = "eth0") => {
    const { rx_limit, tx_limit } = (await usage(name))[device] ?? {}
    return { rx_limit, tx_limit }
  }
  /** Nothing can be quicker than its limit, however busy the machine: what the bucket holds passes at once. */
  const LEAST_SECONDS = ((MEGABYTES * 1024 ** 2 - 128 * 1024) / SLOW) * 0.8

  test("holds what comes in and what goes out, changes while the container runs, and goes with 0", async () => {
    await engine.must("POST", "/networks/create", { Name: "limited" })
    await engine.must("POST", "/networks/create", { Name: "further" })
    await create("free", {})
    await create("slow", { NetRate: { Out: SLOW } })
    expect(await limits("slow")).toEqual({ rx_limit: 0, tx_limit: SLOW })
    expect(await limits("free")).toEqual({ rx_limit: undefined, tx_limit: undefined })
    expect(await fetchAll("free", await address("slow"))).toBeGreaterThan(LEAST_SECONDS)
    const { tx_limit_delayed: delayed } = (await usage("slow"))["eth0"] ?? {}
    expect(delayed).toBeGreaterThan(0)

    const { Changes } = (await engine.must("POST", "/containers/slow/update", { NetRate: { In: SLOW } })) as {
      Changes: object[]
    }
    expect(Changes).toEqual([{ Field: "NetRate", Was: { Out: SLOW }, Now: { In: SLOW }, Effect: "live" }])
    expect(await limits("slow")).toEqual({ rx_limit: SLOW, tx_limit: 0 })
    expect(await fetchAll("slow", await address("free"))).toBeGreaterThan(LEAST_SECONDS)

    await engine.must("POST", "/networks/further/connect", { Container: "slow" })
    expect(await limits("slow", "eth1")).toEqual({ rx_limit: SLOW, tx_limit: 0 })
    await engine.must("POST", "/containers/slow/update", { NetRate: { In: SLOW, Out: 5_000_000_000 } })
    expect(await limits("slow", "eth1")).toEqual({ rx_limit: SLOW, tx_limit: 5_000_000_000 })
    await engine.must("POST", "/networks/further/disconnect", { Container: "slow" })
    expect(Object.keys(await usage("slow"))).toEqual(["eth0"])

    await engine.kill()
    await engine.start()
    expect(await limits("slow")).toEqual({ rx_limit: SLOW, tx_limit: 5_000_000_000 })
    expect(await fetchAll("slow", await address("free"))).toBeGreaterThan(LEAST_SECONDS)
    await engine.must("POST", "/containers/slow/update", { NetRate: { In: 0, Out: 0 } })
    expect(await limits("slow")).toEqual({ rx_limit: undefined, tx_limit: undefined })
    const { HostConfig } = (await engine.must("GET", "/containers/slow/json")) as { HostConfig: object }
    expect(HostConfig).not.toHaveProperty("NetRate")
    await fetchAll("slow", await address("free"))
    for (const name of ["free", "slow"]) await engine.must("DELETE", `/containers/${name}?force=1`)
  }, 60_000)

  test("is refused where no interface is the container's own, and where it is no rate", async () => {
    const ask = (NetRate: unknown, NetworkMode = "bridge") =>
      said("POST", "/containers/create", { Image: "bb", Cmd: ["true"], HostConfig: { NetRate, NetworkMode } })
    for (const mode of ["host", "none"])
      expect(await ask({ In: 5000 }, mode)).toContain(
        `400 {"message":"conflicting options: a traffic limit and the network mode \\"${mode}\\"`,
      )
    expect(await ask({ In: 999 })).toContain("400")
    expect(await ask({ In: -1 })).toContain("400")
    expect(await ask({ In: "fast" })).toContain("400")
    expect(await ask({ In: 2 ** 60 })).toContain("400")
    expect(await ask({ In: 0, Out: 0 }, "host")).toContain("201")
    await engine.must("POST", "/networks/create", { Name: "wire", Driver: "macvlan" })
    await engine.must("POST", "/containers/create?name=wired", {
      Image: "bb",
      Cmd: ["true"],
      HostConfig: { NetRate: { In: 5000 }, NetworkMode: "wire" },
    })
    expect(await said("POST", "/containers/wired/start")).toContain(
      'The traffic of a container cannot be limited on network \\"wire\\"',
    )
  })
})

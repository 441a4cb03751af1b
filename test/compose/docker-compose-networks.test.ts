// Networks of docker compose: two of them with one container on both, names that are seen from one only, static addresses of
// both families, a partition by disconnect, a network without a way out, and what becomes of them when the file changes.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { composeProgram, Project } from "../support/compose.ts"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

/** Documentation's own range for benchmarks: no host is expected to have it. */
const SUBNET = "198.18.77"
const SUBNET6 = "fd00:da0:77:1"

const compose = (mtu: number): string => `
x-base: &base {image: bb, init: true, stop_grace_period: 1s}
services:
  west:
    <<: *base
    command: nc -ll -p 80 -e /bin/echo west
    ports: ["80"]
    networks:
      one:
        aliases: [sunset]
        ipv4_address: ${SUBNET}.10
        ipv6_address: "${SUBNET6}::10"
  middle:
    <<: *base
    command: sleep 1000
    networks: {one: {}, two: {gw_priority: 1}}
  east:
    <<: *base
    command: nc -ll -p 80 -e /bin/echo east
    hostname: sunrise
    networks: [two]
  inner:
    <<: *base
    command: nc -ll -p 80 -e /bin/echo inner
    networks: [closed]
  beside:
    <<: *base
    command: sleep 1000
    network_mode: service:inner
networks:
  one:
    enable_ipv6: true
    labels: {of: one}
    driver_opts: {com.docker.network.driver.mtu: "${mtu}"}
    ipam:
      config:
        - {subnet: ${SUBNET}.0/24, gateway: ${SUBNET}.1, ip_range: ${SUBNET}.128/25}
        - {subnet: "${SUBNET6}::/64"}
  two: {}
  closed: {internal: true}
`

describe.skipIf(composeProgram === undefined || dockerProgram === undefined)("networks of docker compose", () => {
  const engine = testEngine()
  const client = docker(engine)
  let project: Project
  const inside = async (service: string, script: string): Promise<string> => {
    const { stdout, stderr } = await project.run(["exec", "-T", service, "sh", "-c", script])
    return stdout + stderr
  }
  /** What answers at a name or an address, as the service sees it. */
  const reach = (service: string, target: string): Promise<string> =>
    inside(service, `nc -w 1 ${target} 80 </dev/null 2>/dev/null || echo nobody`).then((text) => text.trim())

  beforeAll(async () => {
    project = new Project(engine, "nets", { "compose.yaml": compose(1400) })
    await project.ok("up", "-d", "--wait")
  })
  afterAll(async () => {
    await project.run(["down", "-v", "-t", "1"])
  })

  test("names lead to who is on the same network, and to nobody else", async () => {
    expect(await reach("middle", "west")).toBe("west")
    expect(await reach("middle", "sunset")).toBe("west")
    expect(await reach("middle", "nets-east-1")).toBe("east")
    expect(await reach("west", "east")).toBe("nobody")
    expect(await reach("inner", "west")).toBe("nobody")
    expect(await reach("beside", "127.0.0.1")).toBe("inner")
    expect(await inside("east", "hostname")).toBe("sunrise\n")
  })

  test("networks do not reach one another by address either", async () => {
    const address = (service: string, network: string): Promise<string> =>
      client.ok(
        "inspect",
        "-f",
        `{{(index .NetworkSettings.Networks "nets_${network}").IPAddress}}`,
        `nets-${service}-1`,
      )
    expect(await reach("middle", await address("east", "two"))).toBe("east")
    expect(await reach("west", await address("east", "two"))).toBe("nobody")
    expect(await reach("east", `${SUBNET}.10`)).toBe("nobody")
  })

  test("a container has the addresses it asks for, of both families, and others one of the range", async () => {
    expect(await reach("middle", `${SUBNET}.10`)).toBe("west")
    expect(await reach("middle", `${SUBNET6}::10`)).toBe("west")
    expect(await inside("middle", "nslookup -type=aaaa west")).toContain(`${SUBNET6}::10`)
    const own = await client.ok("inspect", "-f", "{{.NetworkSettings.Networks.nets_one.IPAddress}}", "nets-middle-1")
    expect(Number(own.split(".")[3])).toBeGreaterThanOrEqual(128)
    expect(await inside("west", "cat /sys/class/net/eth0/mtu")).toBe("1400\n")
  })

  test("a port is published on addresses of both families", async () => {
    const west = (await project.containers()).find(({ Service }) => Service === "west")
    const published = new Map((west?.Publishers ?? []).map(({ URL, PublishedPort }) => [URL, String(PublishedPort)]))
    expect([...published.keys()].sort()).toEqual(["0.0.0.0", "::"])
    const places = [
      ["127.0.0.1", published.get("0.0.0.0")!],
      [`${SUBNET6}::1`, published.get("::")!],
    ]
    for (const place of places) {
      const { stdout } = Bun.spawnSync(["/bin/busybox", "nc", "-w", "5", ...place], { stdin: null })
      expect(stdout.toString()).toBe("west\n")
    }
  })

  test("the way out is that of the network with the greatest gw_priority; an internal network has none", async () => {
    const gateway = await client.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", "nets_two")
    expect(await inside("middle", "ip route | grep default")).toStartWith(`default via ${gateway} `)
    expect(await inside("inner", "ip route | grep default")).toBe("")
  })

  test("disconnect parts what runs, connect joins it again under its names", async () => {
    await client.ok("network", "disconnect", "nets_one", "nets-west-1")
    expect(await reach("middle", `${SUBNET}.10`)).toBe("nobody")
    expect(await reach("middle", "west")).toBe("nobody")
    expect(await inside("west", "ls /sys/class/net")).toBe("lo\n")
    await client.ok("network", "connect", "--ip", `${SUBNET}.10`, "--alias", "again", "nets_one", "nets-west-1")
    expect(await reach("middle", "again")).toBe("west")
    expect(await reach("middle", "nets-west-1")).toBe("west")
  })

  test("without an engine names go on to lead where they did, and the next one keeps all of it", async () => {
    const pid = await client.ok("inspect", "-f", "{{.State.Pid}}", "nets-middle-1")
    await engine.kill()
    const asked = ["nsenter", "-t", pid, "-m", "-n", "-r", "/bin/busybox", "nc", "-w", "2", "again", "80"]
    expect(Bun.spawnSync(asked, { stdin: null }).stdout.toString()).toBe("west\n")
    await engine.start()
    expect(await reach("middle", "again")).toBe("west")
    expect(await reach("middle", "east")).toBe("east")
    expect(await reach("west", "east")).toBe("nobody")
  })

  test("a network whose settings change is made anew, with its containers; down takes all of them", async () => {
    const before = await client.ok("network", "inspect", "-f", "{{.Id}}", "nets_one")
    project.write({ "compose.yaml": compose(1300) })
    await project.ok("up", "-d", "--wait")
    expect(await client.ok("network", "inspect", "-f", "{{.Id}} {{.Labels.of}}", "nets_one")).toMatch(
      new RegExp(`^(?!${before})[0-9a-f]{64} one$`),
    )
    expect(await inside("west", "cat /sys/class/net/eth0/mtu")).toBe("1300\n")
    // By their own names: docker compose joins what was on it without its aliases, whatever the engine.
    expect(await reach("middle", "nets-west-1")).toBe("west")
    await project.ok("down", "-t", "1")
    expect(await client.ok("network", "ls", "--format", "{{.Name}}")).toBe("bridge\nhost\nnone")
  })
})

// A daemon killed at every crash point of src/network: the next one adopts or sweeps all of it, and serves.
import { describe, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  at,
  attach,
  BRIDGE,
  open,
  read,
  run,
  serve,
  until,
  usable,
  veths,
  withNetworks,
} from "./support/network-fixture.ts"

const SOURCE = join(import.meta.dir, "../src/network")
/** Interfaces that the engine under test made for networks. */
async function ourBridges(): Promise<string[]> {
  const { output } = await run("ip", "-o", "link", "show", "type", "bridge")
  const ours = output.split("\n").filter((line) => line.includes(`alias dhow ${at.root}/`))
  return ours.map((line) => line.split(": ")[1] ?? "")
}

const points = readdirSync(SOURCE)
  .filter((name) => name.endsWith(".ts"))
  .flatMap((name) => [...readFileSync(join(SOURCE, name), "utf8").matchAll(/crashpoint\("([^"]+)"\)/g)])
  .map((match) => match[1] ?? "")

describe.skipIf(!usable)("after a kill", () => {
  withNetworks()

  test.each(points)("at %s nothing is left over", async (point) => {
    // The bridge is to be made by the one that is killed.
    await at.networks.close()
    const script = join(import.meta.dir, "support/network-victim.ts")
    const child = Bun.spawn([process.execPath, script, at.root, BRIDGE], {
      env: { ...process.env, DHOW_CRASH_AT: point },
      stdio: ["ignore", "ignore", "ignore"],
    })
    await child.exited
    expect(child.signalCode).toBe("SIGKILL")

    at.networks = open({ pool: 0 })
    await at.networks.open()
    await at.networks.sweep(new Set())
    expect(at.networks.owners()).toEqual([])
    const bridges = at.networks.list().filter(({ Driver }) => Driver === "bridge")
    // A network whose bridge is not made yet gets it with its first container.
    const known = bridges.map(({ Name, Id }) => (Name === "bridge" ? BRIDGE : `br-${Id.slice(0, 12)}`))
    expect((await ourBridges()).filter((name) => !known.includes(name))).toEqual([])
    const ports = at.networks.choosePorts("next", [], { "80/tcp": [{}] }, false)
    const { namespace } = await attach("next", ports)
    using _server = serve(namespace, 80)
    expect(await read("127.0.0.1", ports[0]!.hostPort)).toStartWith("served")
    const { output } = await run("nft", "list", "table", "inet", BRIDGE)
    expect(output.match(/tcp \. \d+ :/g)).toHaveLength(1)
    const keys = () =>
      at.database.query<{ key: string }, Record<string, never>>("SELECT key FROM network_namespaces").all({})
    const files = readdirSync(join(at.root, "run/netns")).filter((key) => !key.startsWith("setup-"))
    expect(files.sort()).toEqual(
      keys()
        .map(({ key }) => key)
        .sort(),
    )
    const addresses = at.database.query<{ owner: string }, Record<string, never>>("SELECT owner FROM addresses").all({})
    expect(addresses.every(({ owner }) => files.includes(owner))).toBe(true)
    await until(() => veths().every((name) => files.includes(name.slice(4)) || !/^veth[0-9a-f]{10}$/.test(name)))
  })
})

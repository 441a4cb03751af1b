// Two engines on one machine, neither of which was told a bridge: each takes one of its own, and leaves the other's alone.
import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Networks } from "../src/network/contract.ts"
import { openNetworks } from "../src/network/open.ts"
import { Database } from "../src/state/database.ts"
import { inside, request, usable } from "./support/network-fixture.ts"

type Neighbour = { readonly root: string; readonly database: Database; networks: Networks }

function neighbour(bridge?: string): Neighbour {
  const root = mkdtempSync(join(tmpdir(), "dhow-neighbour-"))
  const database = Database.open(join(root, "dhow.db"))
  return { root, database, networks: again({ root, database }, bridge) }
}

function again({ root, database }: Pick<Neighbour, "root" | "database">, bridge?: string): Networks {
  return openNetworks({ database, execRoot: join(root, "run"), bridge, bip: undefined, pool: 2 })
}

const bridgeOf = ({ networks }: Neighbour): string =>
  networks.inspect("bridge").Options["com.docker.network.bridge.name"] ?? ""

test.skipIf(!usable)("engines side by side have bridges of their own, after a restart too", async () => {
  const all = [neighbour(), neighbour()] as const
  const [one, two] = all
  try {
    await Promise.all(all.map(({ networks }) => networks.open()))
    const spaces = await Promise.all(all.map(({ networks }) => networks.attach(request("a"))))
    const bridges = all.map(bridgeOf)
    expect(new Set(bridges).size).toBe(2)
    expect(new Set(all.map(({ networks }) => networks.inspect("bridge").IPAM.Config[0]?.Subnet)).size).toBe(2)

    // As after a crash: opened anew over the same rows, and swept.
    two.networks = again(two)
    await two.networks.open()
    await two.networks.sweep(new Set(["a"]))
    expect(all.map(bridgeOf)).toEqual(bridges)
    for (const { namespace, endpoints } of spaces) {
      const gateway = endpoints["bridge"]?.Gateway ?? ""
      expect((await inside(namespace, "/bin/busybox", "ping", "-c1", "-W2", gateway)).status).toBe(0)
    }

    const third = neighbour(bridges[0])
    await expect(third.networks.open()).rejects.toThrow(
      `The bridge "${bridges[0]}" belongs to the engine with the exec root "${join(one.root, "run")}"`,
    )
    third.database.close()
    rmSync(third.root, { recursive: true, force: true })
  } finally {
    for (const { networks, database, root } of all) {
      await networks.close()
      database.close()
      rmSync(root, { recursive: true, force: true })
    }
  }
})

test.skipIf(!usable)("a bridge that an engine left behind is made anew, without its old address", async () => {
  const ip = (...args: string[]): string => Bun.spawnSync(["ip", ...args]).stdout.toString()
  const bridge = `dhowl${process.pid % 100_000}`
  ip("link", "add", bridge, "type", "bridge")
  ip("addr", "add", "10.231.7.1/24", "dev", bridge)
  ip("link", "set", bridge, "up", "alias", "dhow /no/such/engine")
  const { root, database, networks } = neighbour(bridge)
  try {
    await networks.open()
    const { namespace, endpoints } = await networks.attach(request("a"))
    const gateway = endpoints["bridge"]?.Gateway ?? ""
    expect((await inside(namespace, "/bin/busybox", "ping", "-c1", "-W2", gateway)).status).toBe(0)
    expect(ip("-4", "-br", "addr", "show", bridge)).not.toContain("10.231.7.1")
  } finally {
    await networks.close()
    database.close()
    rmSync(root, { recursive: true, force: true })
  }
})

// Bytes, requests and names over networks: from container to container, from the host to a container, and through a
// published port; and how long it takes to join a network and to leave it.
import { networkInterfaces } from "node:os"
import { join } from "node:path"
import { type Engine, IMAGE } from "../engines/engine.ts"
import { run } from "../process.ts"
import { type Case, type Samples, some } from "./case.ts"

const PEER = join(import.meta.dir, "../network/peer.ts")
const PORT = 7000
const MEBIBYTES = 1024
const REQUESTS = 500
const NAMES = 500
const HOST_ADDRESS = "10.254.254.1"

const WAYS = {
  peers: "from container to container",
  host: "from the host to a container",
  published: "through a published port",
} as const

export const NETWORK: Case = {
  name: "network",
  results: {
    ...Object.fromEntries(
      Object.entries(WAYS).flatMap(([key, title]) => [
        [`${key}-bytes`, { title: `1 GiB ${title}`, unit: "time" }],
        [`${key}-requests`, { title: `${REQUESTS} requests ${title}`, unit: "time" }],
      ]),
    ),
    names: { title: `${NAMES} names of containers resolved`, unit: "time" },
    connect: { title: "`network connect` of a running container", unit: "time" },
    disconnect: { title: "`network disconnect`", unit: "time" },
  },
  rounds: some,
  async open(engine) {
    const { cli, runOptions, removeOptions } = engine
    const [network, other] = ["bench-net", "bench-other"]
    const [server, client] = ["bench-server", "bench-client"]
    for (const name of [network, other]) await run([...cli, "network", "create", name])
    const start = (name: string, ...more: readonly string[]): Promise<string> =>
      run([...cli, "run", "-d", "--name", name, "--network", network, ...runOptions, ...more, IMAGE, "sleep", "100000"])
    await start(server, "-p", `${PORT}`)
    await start(client)
    const address = await inspect(engine, server, `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`)
    const published = (await run([...cli, "port", server, String(PORT)])).split("\n")[0]?.split(":").at(-1) ?? ""
    const nameserver =
      /nameserver (\S+)/.exec(await run([...cli, "exec", client, "cat", "/etc/resolv.conf"]))?.[1] ?? ""
    const [inServer, inClient] = [await enter(engine, server), await enter(engine, client)]
    const serving = Bun.spawn([...inServer, process.execPath, PEER, "serve", String(PORT)], { stdout: "pipe" })
    await serving.stdout.getReader().read()
    const ways: Readonly<Record<keyof typeof WAYS, readonly [from: readonly string[], host: string, port: string]>> = {
      peers: [inClient, address, String(PORT)],
      host: [[], address, String(PORT)],
      published: [[], await hostAddress(), published],
    }
    const measure = async (from: readonly string[], ...words: readonly string[]): Promise<number> =>
      Number(await run([...from, process.execPath, PEER, ...words]))
    return {
      async measure() {
        const samples: Record<string, number> = {}
        for (const [key, [from, host, port]] of Object.entries(ways)) {
          samples[`${key}-bytes`] = await measure(from, "send", host, port, String(MEBIBYTES))
          samples[`${key}-requests`] = await measure(from, "requests", host, port, String(REQUESTS))
        }
        samples["names"] = await measure(inClient, "names", nameserver, server, String(NAMES))
        for (const verb of ["connect", "disconnect"] as const) {
          const begin = performance.now()
          await run([...cli, "network", verb, other, client])
          samples[verb] = performance.now() - begin
        }
        return samples satisfies Samples
      },
      async close() {
        serving.kill()
        await serving.exited
        await run([...cli, "rm", "-f", ...removeOptions, server, client])
        await run([...cli, "network", "rm", network, other])
      },
    }
  },
}

async function inspect({ cli }: Engine, name: string, format: string): Promise<string> {
  return (await run([...cli, "inspect", "-f", format, name])).trim()
}

/** A command in front of another one, which is then in the container's network. */
async function enter(engine: Engine, name: string): Promise<string[]> {
  return ["nsenter", `--net=/proc/${await inspect(engine, name, "{{.State.Pid}}")}/ns/net`]
}

/** One of the benchmark's own machine: loopback is another way, by a program in docker's case. */
async function hostAddress(): Promise<string> {
  if (networkInterfaces()["benchhost"] === undefined)
    for (const words of [
      ["link", "add", "benchhost", "type", "bridge"],
      ["addr", "add", `${HOST_ADDRESS}/32`, "dev", "benchhost"],
      ["link", "set", "benchhost", "up"],
    ])
      await run(["ip", ...words])
  return HOST_ADDRESS
}

// Run by network-beside-docker.test.ts inside network and mount namespaces of its own. Prints as JSON what a container and
// its neighbour outside read from each other.
import { join } from "node:path"
import { inNetworkNamespace } from "../../src/lib/syscalls/mount.ts"
import { Namespaces } from "../../src/network/namespaces.ts"
import { openNetworks } from "../../src/network/open.ts"
import { Database } from "../../src/state/database.ts"

const root = process.argv[2] ?? ""

function run(...command: string[]): string {
  const { stdout, stderr } = Bun.spawnSync(command)
  return stdout.toString() + stderr.toString()
}

function serve(namespace: string, port: number, who: string) {
  const socket = { open: (client: { end(text: string): void }) => client.end(`served by ${who}\n`), data() {} }
  return inNetworkNamespace(namespace, () => Bun.listen({ hostname: "0.0.0.0", port, socket }))
}

async function read(namespace: string, host: string, port: number): Promise<string> {
  const command = ["nsenter", `--net=${namespace}`, "/bin/busybox", "nc", "-w", "2", host, String(port)]
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  return (await child.stdout.text()) + (await child.stderr.text())
}

run("ip", "link", "set", "lo", "up")
run("iptables", "-P", "FORWARD", "DROP")
const outside = new Namespaces(join(root, "outside"))
outside.prepareDirectory()
outside.create("lan", () => {})
const lan = outside.path("lan")
run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "eth0", "netns", lan)
run("ip", "addr", "add", "198.51.100.1/24", "dev", "lan0")
run("ip", "link", "set", "lan0", "up")
run("nsenter", `--net=${lan}`, "ip", "addr", "add", "198.51.100.2/24", "dev", "eth0")
run("nsenter", `--net=${lan}`, "ip", "link", "set", "eth0", "up")
run("nsenter", `--net=${lan}`, "ip", "route", "add", "default", "via", "198.51.100.1")

const database = Database.open(join(root, "dhow.db"))
const networks = openNetworks({ database, execRoot: join(root, "run"), bridge: "dhow0", bip: undefined, pool: 0 })
await networks.open()
const ports = networks.choosePorts("web", [], { "80/tcp": [{}] }, false)
const request = { owner: "web", name: "web", hostname: "web", networks: new Map([["bridge", {}]]), ports }
const { namespace, endpoints } = await networks.attach(request)
serve(lan, 80, "the outside")
serve(namespace, 80, "the container")
serve(namespace, 81, "the container")
const result = {
  out: await read(namespace, "198.51.100.2", 80),
  in: await read(lan, "198.51.100.1", ports[0]?.hostPort ?? 0),
  unpublished: await read(lan, endpoints["bridge"]?.IPAddress ?? "", 81),
}
await networks.close()
database.close()
const rulesLeft = run("iptables", "-S", "FORWARD")
  .split("\n")
  .filter((line) => line.includes("dhow0"))
outside.destroy("lan")
outside.removeDirectory()
console.log(JSON.stringify({ ...result, rulesLeft }))
process.exit(0)

// Real networks on a bridge of the test's own, and a check that nothing of them is left afterwards. Needs root.
import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout } from "bun:test"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inNetworkNamespace } from "../../src/lib/syscalls/mount.ts"
import type { AttachRequest, Networks, PortMapping } from "../../src/network/contract.ts"
import { openNetworks } from "../../src/network/open.ts"
import { findProgram } from "../../src/network/programs.ts"
import { Database } from "../../src/state/database.ts"

export const usable = process.getuid?.() === 0 && findProgram("nft") !== undefined && existsSync("/bin/busybox")
export const BRIDGE = `dhowt${process.pid % 1_000_000}`

const subnets = new Set<string>()
const roots = new Set<string>()
setDefaultTimeout(30_000)
/** What the running test works on. */
export const at = {} as { root: string; database: Database; networks: Networks }

export function open(options: { readonly bip?: string; readonly pool?: number } = {}): Networks {
  const execRoot = join(at.root, "run")
  return openNetworks({ database: at.database, execRoot, bridge: BRIDGE, bip: options.bip, pool: options.pool ?? 2 })
}

export function request(owner: string, options: Partial<AttachRequest> = {}): AttachRequest {
  return { owner, name: owner, hostname: owner, networks: new Map([["bridge", {}]]), ports: [], ...options }
}

export async function attach(owner: string, ports: readonly PortMapping[] = []) {
  const { namespace, endpoints } = await at.networks.attach(request(owner, { ports }))
  return { namespace, address: endpoints["bridge"]?.IPAddress ?? "", endpoint: endpoints["bridge"] }
}

export async function run(...command: string[]): Promise<{ readonly status: number; readonly output: string }> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [out, error, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { status, output: out + error }
}

export function inside(namespace: string, ...command: string[]) {
  return run("nsenter", `--net=${namespace}`, ...command)
}

/** Answers each connection with who connected. */
export function serve(namespace: string, port: number) {
  return inNetworkNamespace(namespace, () =>
    Bun.listen({
      hostname: "0.0.0.0",
      port,
      socket: {
        open(socket) {
          socket.end(`served ${socket.remoteAddress}\n`)
        },
        data() {},
      },
    }),
  )
}

/** What is read from HOST:PORT, from our own namespace or another. */
export async function read(host: string, port: number, namespace?: string): Promise<string> {
  const command = ["/bin/busybox", "timeout", "3", "/bin/busybox", "nc", "-w", "2", host, String(port)]
  return (await (namespace === undefined ? run(...command) : inside(namespace, ...command))).output
}

/** All rules of the kernel, without counters. */
export async function rules(): Promise<string> {
  return (await run("nft", "-s", "list", "ruleset")).output
}

/** What our bridge, the table of its rules, or a subnet that is nobody's any more have left in the kernel. */
async function leftovers(): Promise<string[]> {
  const { output: addresses } = await run("ip", "-4", "route")
  const freed = [...subnets].filter((subnet) => !addresses.includes(subnet))
  const marks = [BRIDGE, ...freed]
  const lines = [...(await rules()).split("\n"), ...readdirSync("/sys/class/net")]
  return lines.filter((line) => marks.some((mark) => line.includes(mark)))
}

export function veths(): string[] {
  const ports = `/sys/class/net/${BRIDGE}/brif`
  return existsSync(ports) ? readdirSync(ports) : []
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 300) throw new Error("The condition never came true")
    await Bun.sleep(20)
  }
}

/** Opens networks before each test of the block and closes them after it. */
export function withNetworks(): void {
  beforeEach(async () => {
    at.root = mkdtempSync(join(tmpdir(), "dhow-network-"))
    roots.add(at.root)
    at.database = Database.open(join(at.root, "dhow.db"))
    at.networks = open()
    await at.networks.open()
  })

  afterEach(async () => {
    subnets.add(at.networks.inspect("bridge").IPAM.Config[0]?.Subnet ?? "")
    await at.networks.close()
    at.database.close()
    rmSync(at.root, { recursive: true })
    await until(() => veths().length === 0)
  })

  afterAll(async () => {
    expect(await leftovers()).toEqual([])
    const mounts = readFileSync("/proc/self/mounts", "utf8")
    expect([...roots].filter((root) => mounts.includes(root))).toEqual([])
  })
}

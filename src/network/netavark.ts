// netavark(1): makes a network's bridge, its addresses and its firewall rules. Versions 1.4 to 1.17 take this input; the
// network's name decides the names of its chains, so what it is told is our interface's name, which is unique on a host.
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { DhowError } from "../lib/errors.ts"
import { ensureDirectory } from "../lib/files.ts"
import type { NetworkRecord } from "./record.ts"

const DIRECTORIES = ["/usr/lib/podman", "/usr/libexec/podman", "/usr/local/lib/podman", "/usr/local/libexec/podman"]
const HINT = "Install the packages netavark and aardvark-dns"

export type NetavarkRequest = {
  readonly id: string
  readonly network: { readonly id: string; readonly record: NetworkRecord }
  /** Address of the namespace on the network. */
  readonly address: string
}

export class Netavark {
  readonly #configDirectory: string

  constructor(execRoot: string) {
    this.#configDirectory = join(execRoot, "netavark")
  }

  async setup(namespace: string, request: NetavarkRequest): Promise<void> {
    await this.#run("setup", namespace, request)
  }

  async teardown(namespace: string, request: NetavarkRequest): Promise<void> {
    await this.#run("teardown", namespace, request)
  }

  async #run(verb: "setup" | "teardown", namespace: string, request: NetavarkRequest): Promise<void> {
    const program = findProgram("netavark")
    if (program === undefined) throw new DhowError("unavailable", "netavark is not installed", { hint: HINT })
    ensureDirectory(this.#configDirectory, 0o700)
    const aardvark = findProgram("aardvark-dns")
    const flags = [
      "--config",
      this.#configDirectory,
      ...(aardvark === undefined ? [] : ["--aardvark-binary", aardvark]),
    ]
    const child = Bun.spawn([program, ...flags, verb, namespace], {
      stdin: Buffer.from(JSON.stringify(renderRequest(request))),
      stdout: "pipe",
      stderr: "pipe",
    })
    const [output, complaint, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
    if (status === 0) return
    const name = request.network.record.interface
    throw new DhowError("internal", `netavark ${verb} of "${name}" failed: ${errorText(output, complaint, status)}`)
  }
}

/** Netavark reports {"error": TEXT} on standard output. */
export function errorText(output: string, complaint: string, status: number): string {
  try {
    const parsed: unknown = JSON.parse(output)
    if (parsed !== null && typeof parsed === "object" && "error" in parsed && typeof parsed.error === "string")
      return parsed.error.trim()
  } catch {
    // Not JSON: an older version, or a panic.
  }
  return [output.trim(), complaint.trim()].filter((text) => text !== "").join("; ") || `exit status ${status}`
}

export function renderRequest({ id, network, address }: NetavarkRequest): unknown {
  const { record } = network
  const name = record.interface
  return {
    container_id: id,
    container_name: id,
    // Empty, not absent: the chain for published ports then belongs to what a complete teardown removes.
    port_mappings: [],
    networks: { [name]: { static_ips: [address], interface_name: "eth0", aliases: [] } },
    network_info: {
      [name]: {
        name,
        id: network.id,
        driver: record.driver,
        network_interface: name,
        subnets: record.subnets.map(({ subnet, gateway }) => ({ subnet, gateway })),
        ipv6_enabled: record.ipv6,
        internal: record.internal,
        dns_enabled: record.dnsEnabled,
        ipam_options: { driver: "host-local" },
        options: {},
      },
    },
  }
}

export function findProgram(name: string): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter)
  for (const directory of [...DIRECTORIES, ...path, "/usr/sbin", "/sbin"]) {
    if (directory === "") continue
    try {
      accessSync(join(directory, name), constants.X_OK)
      return join(directory, name)
    } catch {
      // The next place.
    }
  }
  return undefined
}

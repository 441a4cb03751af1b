// Where something else on the host (Docker, ufw) drops what is forwarded unless a rule accepts it, the default bridge needs
// rules of its own: netavark's do not let connections to published ports in, and with nftables let nothing out. They go
// to the end, so that what the other program refuses explicitly stays refused.
import { log } from "../lib/log.ts"
import { findProgram } from "./netavark.ts"

export async function acceptForwarding(bridge: string): Promise<void> {
  const chain = await forwardChain()
  if (!chain.includes("-P FORWARD DROP")) return
  for (const rule of rules(bridge)) {
    if ((await iptables("-C", "FORWARD", ...rule)).status === 0) continue
    const { status, output } = await iptables("-A", "FORWARD", ...rule)
    if (status !== 0) log.warn("forwarding may be dropped by the host's firewall", { bridge, error: output.trim() })
  }
}

export async function withdrawForwarding(bridge: string): Promise<void> {
  if (!(await forwardChain()).includes(` ${bridge} `)) return
  for (const rule of rules(bridge)) await iptables("-D", "FORWARD", ...rule)
}

function rules(bridge: string): string[][] {
  return [
    ["-i", bridge, "-j", "ACCEPT"],
    ["-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED,DNAT", "-j", "ACCEPT"],
  ]
}

async function forwardChain(): Promise<string> {
  const { status, output } = await iptables("-S", "FORWARD")
  return status === 0 ? output : ""
}

async function iptables(...options: string[]): Promise<{ readonly status: number; readonly output: string }> {
  const program = findProgram("iptables")
  // Without the program nobody has set a policy either.
  if (program === undefined) return { status: 1, output: "" }
  const child = Bun.spawn([program, "-w", "5", ...options], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [output, complaint, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { status, output: output + complaint }
}

// Rules that netavark made for the default bridge of a dhow before 0.5, by iptables: removed once, when the bridge is
// raised natively for the first time.
import { log } from "../../lib/log.ts"
import { findProgram } from "../programs.ts"

const CHAIN = /^NETAVARK-[0-9A-F]{13}$/

/** Rules that name the subnet or the bridge, and the chain that was the bridge's own. */
export async function removeNetavarkRules(bridge: string, subnet: string): Promise<void> {
  const program = findProgram("iptables")
  if (program === undefined) return
  for (const table of ["filter", "nat"]) {
    const lines = (await iptables(program, "-t", table, "-S")).split("\n")
    const rules = lines.filter((line) => isOld(line, bridge, subnet))
    const chains = new Set(rules.flatMap((line) => line.split(" ").filter((word) => CHAIN.test(word))))
    // A chain can go once nobody jumps to it.
    for (const line of rules.filter((rule) => !CHAIN.test(rule.split(" ")[1] ?? "")))
      await iptables(program, "-t", table, "-D", ...words(line).slice(1))
    for (const chain of chains) {
      await iptables(program, "-t", table, "-F", chain)
      await iptables(program, "-t", table, "-X", chain)
    }
    if (rules.length > 0) log.info("removed the rules of an older version", { table, bridge, rules: rules.length })
  }
}

/** Whether a line of `iptables -S` is a rule that netavark, or dhow beside it, made for the bridge. Pure. */
export function isOld(line: string, bridge: string, subnet: string): boolean {
  if (!line.startsWith("-A ")) return false
  const parts = words(line)
  const names = (flag: string, value: string): boolean =>
    parts.some((part, at) => part === flag && parts[at + 1] === value)
  if (line.includes("NETAVARK")) return names("-s", subnet) || names("-d", subnet) || names("--to-destination", subnet)
  return parts[1] === "FORWARD" && parts.at(-1) === "ACCEPT" && (names("-i", bridge) || names("-o", bridge))
}

/** As a shell would split what `iptables -S` prints. */
export function words(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "")
}

async function iptables(program: string, ...options: string[]): Promise<string> {
  const child = Bun.spawn([program, "-w", "5", ...options], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [output, complaint, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (status !== 0) log.warn("a rule of an older version could not be removed", { options, error: complaint.trim() })
  return output
}

// What all bridges of this host share, whosever they are: the user's chain (table `inet dhow-user`), and one rule that lets
// through what a bridge lets through where another program (Docker, ufw) drops all that is forwarded. Kept as long as any
// engine has a bridge.
import { log } from "../../lib/log.ts"
import { NETLINK_NETFILTER, NetlinkSocket } from "../../lib/netlink.ts"
import { listLinks } from "../link.ts"
import { findProgram } from "../programs.ts"
import { COMMON_TABLE, MARK, renderCommonTable, USER_CHAIN } from "./layout.ts"
import { hasTable, removeTable, runNft } from "./nft.ts"

const TOOLS = ["iptables", "ip6tables"] as const
/** At the end of the chain: what the other program refuses explicitly stays refused. */
const RULE = ["-m", "mark", "--mark", `${MARK}/${MARK}`, "-m", "comment", "--comment", "dhow", "-j", "ACCEPT"]

/** Makes the user's chain where it is missing. Returns whether it was. */
export async function ensureCommonTable(): Promise<boolean> {
  using socket = new NetlinkSocket(NETLINK_NETFILTER)
  if (hasTable(socket, COMMON_TABLE)) return false
  await runNft(renderCommonTable(), `table "${COMMON_TABLE}"`)
  return true
}

/** Where the policy of a program's FORWARD chain is to drop, what our bridges let through is let through. */
export async function acceptForwarding(): Promise<void> {
  for (const tool of TOOLS) {
    const { status, output } = await run(tool, "-S", "FORWARD")
    if (status !== 0 || !output.includes("-P FORWARD DROP")) continue
    if ((await run(tool, "-C", "FORWARD", ...RULE)).status === 0) continue
    const added = await run(tool, "-A", "FORWARD", ...RULE)
    if (added.status !== 0) log.warn("forwarding may be dropped by the host's firewall", { error: added.output.trim() })
  }
}

/** For whoever has just removed its last bridge. The user's own rules are never removed. */
export async function removeCommon(host: NetlinkSocket): Promise<void> {
  if (listLinks(host).some(({ alias }) => alias.startsWith("dhow "))) return
  for (const tool of TOOLS) {
    const { output } = await run(tool, "-S", "FORWARD")
    if (output.includes(`--mark ${MARK}/`)) await run(tool, "-D", "FORWARD", ...RULE)
  }
  const { status, output } = await run("nft", "list", "chain", "inet", COMMON_TABLE, USER_CHAIN)
  const isEmpty = /^\s*chain \S+ \{\s*\}/m.test(output)
  if (status !== 0 || !isEmpty) return
  using socket = new NetlinkSocket(NETLINK_NETFILTER)
  removeTable(socket, COMMON_TABLE)
}

async function run(name: string, ...options: string[]): Promise<{ readonly status: number; readonly output: string }> {
  const program = findProgram(name)
  // Without the program nobody has set a policy either.
  if (program === undefined) return { status: 1, output: "" }
  const wait = name === "nft" ? [] : ["-w", "5"]
  const child = Bun.spawn([program, ...wait, ...options], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [output, complaint, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { status, output: output + complaint }
}

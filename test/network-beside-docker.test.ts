// The default bridge on a host whose firewall drops what is forwarded, as Docker and ufw set it: in a network namespace of
// its own as "the host", because the policy would hit everything else on the real one. Needs root.
import { expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findProgram } from "../src/network/programs.ts"

const usable = process.getuid?.() === 0 && ["iptables", "nft"].every(findProgram) && existsSync("/bin/busybox")

test.skipIf(!usable)("a bridge beside a firewall that drops lets containers out and published ports in", async () => {
  const root = mkdtempSync(join(tmpdir(), "dhow-policy-"))
  try {
    const command = ["unshare", "--net", "--mount", process.execPath, join(import.meta.dir, "support/dropping-host.ts")]
    const child = Bun.spawn([...command, root], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
    const [output, complaint] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
    const seen: unknown = { ...(JSON.parse(output || "{}") as object), complaint }
    expect(seen).toEqual({
      out: "served by the outside\n",
      in: "served by the container\n",
      unpublished: "nc: timed out\n",
      rulesLeft: [],
      complaint: "",
    })
  } finally {
    rmSync(root, { recursive: true })
  }
})

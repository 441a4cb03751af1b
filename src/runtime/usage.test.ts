import { expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { CgroupFacts } from "./host-facts.ts"
import { readUsage } from "./usage.ts"

test("readUsage() of cgroup v2 has the names that clients of v1 search the answer for", () => {
  const unified = mkdtempSync(join(tmpdir(), "dhow-usage-"))
  try {
    mkdirSync(join(unified, "box"))
    for (const [file, text] of Object.entries({
      "memory.current": "5000\n",
      "memory.max": "max\n",
      "memory.stat": "anon 4096\nfile 100\nshmem 7\n",
      "cpu.stat": "usage_usec 30\nuser_usec 20\nsystem_usec 10\n",
      "pids.current": "3\n",
    }))
      writeFileSync(join(unified, "box", file), text)
    const facts = { mode: "v2", hierarchies: new Map<string, string>(), unified } as unknown as CgroupFacts
    const usage = readUsage("box", facts, 9999)
    const text = JSON.stringify(usage)
    expect(text).toContain('"rss":4096')
    expect(text).toContain('"anon":4096')
    expect(text).toContain('"shmem":7')
    expect(text).toContain('"usage_in_usermode":20000')
    expect(text).toContain('"usage_in_kernelmode":10000')
    expect(usage.memory).toMatchObject({ usage: 5000, limit: 9999 })
    expect(usage.pids.current).toBe(3)
  } finally {
    rmSync(unified, { recursive: true, force: true })
  }
})

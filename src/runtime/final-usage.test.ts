import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readFinalUsage } from "./final-usage.ts"
import type { CgroupFacts } from "./host-facts.ts"

const root = mkdtempSync(join(tmpdir(), "dhow-cgroup-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function facts(
  files: Readonly<Record<string, string>>,
  legacy: readonly string[] = [],
): Pick<CgroupFacts, "hierarchies" | "unified"> {
  const top = mkdtempSync(join(root, "f-"))
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split("/")
    const directory = legacy.length > 0 ? join(top, parts[0]!, "c") : join(top, "c")
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, parts.at(-1)!), text)
  }
  return {
    hierarchies: new Map(legacy.map((name) => [name, join(top, name)])),
    unified: legacy.length > 0 ? undefined : top,
  }
}

test("readFinalUsage() reads cgroup v2", () => {
  const host = facts({
    "cpu.stat": "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 9\nnr_throttled 3\nthrottled_usec 70\n",
    "memory.peak": "4096\n",
    "memory.max": "8192\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2\n8:16 rbytes=5 wbytes=0 rios=1 wios=0\n",
    "pids.peak": "7\n",
    "pids.max": "max\n",
    "pids.events": "max 4\n",
  })
  expect(readFinalUsage("/c", host)).toEqual({
    usage: {
      CPUTime: 1_500_000,
      UserTime: 1_000_000,
      SystemTime: 500_000,
      ThrottledTime: 70_000,
      ThrottledPeriods: 3,
      MemoryPeak: 4096,
      ReadBytes: 15,
      WriteBytes: 20,
      ReadOperations: 2,
      WriteOperations: 2,
      ProcessesPeak: 7,
    },
    limits: { OOMKills: 1, MemoryLimit: 8192, MemoryLimitHits: 12, ProcessesRefused: 4 },
  })
})

test("readFinalUsage() reads cgroup v1", () => {
  const controllers = ["cpu", "cpuacct", "memory", "blkio", "pids"]
  const host = facts(
    {
      "cpuacct/cpuacct.usage": "2000\n",
      "cpuacct/cpuacct.stat": "user 3\nsystem 4\n",
      "cpu/cpu.stat": "nr_periods 1\nnr_throttled 1\nthrottled_time 99\n",
      "memory/memory.max_usage_in_bytes": "4096\n",
      "memory/memory.limit_in_bytes": "9223372036854771712\n",
      "memory/memory.failcnt": "0\n",
      "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
      "blkio/blkio.bfq.io_service_bytes_recursive": "Total 0\n",
      "blkio/blkio.throttle.io_service_bytes_recursive":
        "8:0 Read 100\n8:0 Write 50\n8:0 Total 150\n8:16 Read 1\nTotal 151\n",
      "blkio/blkio.throttle.io_serviced_recursive": "8:0 Read 3\n8:0 Write 2\n",
      "pids/pids.max": "10\n",
    },
    controllers,
  )
  expect(readFinalUsage("/c", host)).toEqual({
    usage: {
      CPUTime: 2000,
      UserTime: 30_000_000,
      SystemTime: 40_000_000,
      ThrottledTime: 99,
      ThrottledPeriods: 1,
      MemoryPeak: 4096,
      ReadBytes: 101,
      WriteBytes: 50,
      ReadOperations: 3,
      WriteOperations: 2,
    },
    limits: { OOMKills: 2, MemoryLimitHits: 0, ProcessLimit: 10 },
  })
})

test("readFinalUsage() of a cgroup that is gone knows nothing, and invents no zero", () => {
  expect(readFinalUsage("/c", facts({}))).toEqual({ usage: {}, limits: { OOMKills: 0 } })
  expect(readFinalUsage("/c", facts({}, ["memory", "pids"]))).toEqual({ usage: {}, limits: { OOMKills: 0 } })
})

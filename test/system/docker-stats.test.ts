// What containers use: the raw answers, as batch systems read them, docker stats and dhow stats.
import { beforeAll, describe, expect, test } from "bun:test"
import type { ContainerStats } from "../../src/wire/stats.ts"
import { dhow, docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("statistics", () => {
  const engine = testEngine()
  const client = docker(engine)
  const own = dhow(engine)
  const reading = (name: string, query = "stream=0"): Promise<ContainerStats> =>
    engine.must<ContainerStats>("GET", `/containers/${name}/stats?${query}`)

  beforeAll(async () => {
    await client.ok(
      "run",
      "-d",
      "--name",
      "busy",
      "-m",
      "64m",
      "--pids-limit",
      "20",
      "bb",
      "sh",
      "-c",
      "while :; do :; done",
    )
    await client.ok("run", "-d", "--name", "hosts", "--network", "host", "bb", "sleep", "600")
    await client.ok("create", "--name", "idle", "bb", "true")
  })

  test("a single reading is compared with one a second before", async () => {
    const stats = await reading("busy")
    expect(stats.name).toBe("/busy")
    expect(Date.parse(stats.read) - Date.parse(stats.preread)).toBeGreaterThanOrEqual(900)
    const used = stats.cpu_stats.cpu_usage.total_usage - stats.precpu_stats.cpu_usage.total_usage
    expect(used).toBeGreaterThan(0.05e9)
    expect(stats.cpu_stats.system_cpu_usage! - stats.precpu_stats.system_cpu_usage!).toBeGreaterThan(used / 2)
    expect(stats.cpu_stats.online_cpus).toBe(navigator.hardwareConcurrency)
    expect(stats.memory_stats.limit).toBe(64 << 20)
    expect(stats.memory_stats.usage).toBeGreaterThan(0)
    expect(stats.pids_stats).toEqual({ current: 1, limit: 20 })
    expect(Object.keys(stats.networks ?? {})).toEqual(["eth0"])
  })

  test("the text has what batch systems search for", async () => {
    const text = JSON.stringify(await reading("busy", "stream=0&one-shot=1"))
    for (const word of ['"rss":', '"rx_bytes":', '"tx_bytes":', '"usage_in_usermode":', '"usage_in_kernelmode":'])
      expect(text).toContain(word)
  })

  test("the host's network is nobody's usage, and its memory is the limit where there is none", async () => {
    const stats = await reading("hosts", "stream=0&one-shot=1")
    expect(stats.networks).toBeUndefined()
    const info = await engine.must<{ MemTotal: number }>("GET", "/info")
    expect(stats.memory_stats.limit).toBe(info.MemTotal)
  })

  test("a container that does not run uses nothing", async () => {
    const { memory_stats, cpu_stats, read, pids_stats, blkio_stats } = await reading("idle")
    expect({ memory_stats, pids_stats, read }).toEqual({
      memory_stats: {},
      pids_stats: {},
      read: "0001-01-01T00:00:00Z",
    })
    expect(cpu_stats.cpu_usage.total_usage).toBe(0)
    expect(blkio_stats.io_service_bytes_recursive).toBeNull()
  })

  test("a stream goes on through an end and ends with the removal", async () => {
    await client.ok("run", "-d", "--name", "brief", "bb", "sleep", "1.5")
    const stream = client.spawn(["stats", "--format", "{{.Name}} {{.PIDs}}", "brief"])
    await stream.stdout.contains("brief 1")
    await stream.stdout.contains("brief 0")
    await client.ok("rm", "brief")
    stream.kill("SIGKILL")
    await stream.ended()
  })

  test("a stream and a single reading at once contradict one another", async () => {
    const { status, json } = await engine.call("GET", "/containers/busy/stats?stream=1&one-shot=1")
    expect({ status, json }).toEqual({ status: 400, json: { message: "cannot have stream=true and one-shot=true" } })
  })

  test("docker and dhow show the same columns", async () => {
    const format = "{{.Name}} {{.PIDs}} {{.NetIO}}"
    const theirs = await client.ok("stats", "--no-stream", "--format", format, "hosts")
    expect(theirs).toBe("hosts 1 0B / 0B")
    expect(await own.ok("stats", "--no-stream", "--format", format, "hosts")).toBe(theirs)
    const table = await own.ok("stats", "--no-stream", "busy")
    expect(table).toMatch(/^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n/)
    expect(table).toMatch(/\n[0-9a-f]{12} +busy +\d+\.\d\d% +\S+ \/ 64MiB /)
  })
})

// A container from its create to its removal through the runtimes themselves: states, signals, limits, the end.
import { describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { cgroupDirectories, oomKilled } from "../../src/runtime/cgroups.ts"
import { runtimeResources } from "../../src/runtime/resources.ts"
import { verifyResources } from "../../src/runtime/verify-resources.ts"
import { runtimeContainers, runtimes, usable } from "../support/runtime-containers.ts"

describe.skipIf(!usable).each(runtimes)("the life of a container through %s", (name) => {
  const containers = runtimeContainers(name)
  const { parent, host, create, until, sh } = containers

  test("limits are in the cgroup, can be changed, and the cgroup goes with the container", async () => {
    const { resources } = verifyResources(
      { Memory: 64 << 20, NanoCpus: 5e8, PidsLimit: 50, CpuShares: 512, CpusetCpus: "0" },
      host,
    )
    const { id } = create(["sleep", "60"], { hostConfig: resources })
    try {
      await containers.runtime.start(id)
      const read = (v1: readonly [string, string], v2: string): string => {
        const root = host.cgroup.hierarchies.get(v1[0])
        const file = root === undefined ? join(host.cgroup.unified!, parent, id, v2) : join(root, parent, id, v1[1])
        return readFileSync(file, "utf8").trim()
      }
      expect(read(["memory", "memory.limit_in_bytes"], "memory.max")).toBe(String(64 << 20))
      expect(read(["pids", "pids.max"], "pids.max")).toBe("50")
      expect(read(["cpuset", "cpuset.cpus"], "cpuset.cpus")).toBe("0")
      if (host.cgroup.mode !== "v2") {
        expect(read(["memory", "memory.memsw.limit_in_bytes"], "")).toBe(String(128 << 20))
        expect(read(["cpu", "cpu.cfs_quota_us"], "")).toBe("50000")
        expect(read(["cpu", "cpu.shares"], "")).toBe("512")
      }
      await containers.runtime.update(id, runtimeResources({ Memory: 32 << 20, MemorySwap: 64 << 20, PidsLimit: -1 }))
      expect(read(["memory", "memory.limit_in_bytes"], "memory.max")).toBe(String(32 << 20))
      expect(read(["pids", "pids.max"], "pids.max")).toBe("max")
    } finally {
      await containers.runtime.delete(id)
    }
    for (const left of cgroupDirectories(`${parent}/${id}`, host.cgroup)) expect(existsSync(left)).toBe(false)
  })

  test("start, state, pause, resume, kill and delete go through a container's life", async () => {
    const { id, pid, output } = create(sh("echo started; trap 'echo got; exit 4' TERM; while :; do sleep 0.05; done"))
    expect(await containers.runtime.state(id)).toEqual({ status: "created", pid })
    await containers.runtime.start(id)
    await until(() => readFileSync(output, "utf8").includes("started"))
    expect(await containers.runtime.state(id)).toEqual({ status: "running", pid })
    expect(await containers.runtime.processes(id)).toContain(pid)
    await containers.runtime.pause(id)
    expect((await containers.runtime.state(id))?.status).toBe("paused")
    await containers.runtime.resume(id)
    await containers.runtime.kill(id, 15, pid)
    await until(async () => (await containers.runtime.state(id))?.status === "stopped")
    expect(readFileSync(output, "utf8")).toContain("got")
    await expect(containers.runtime.kill(id, 9)).rejects.toThrow(/not running/)
    await containers.runtime.delete(id)
    expect(await containers.runtime.state(id)).toBeUndefined()
    await containers.runtime.delete(id)
  })

  test("delete() ends a running container, one never started, and one without processes of its own namespace", async () => {
    const running = create(["sleep", "60"])
    await containers.runtime.start(running.id)
    await containers.runtime.delete(running.id)
    const waiting = create(["sleep", "60"])
    await containers.runtime.delete(waiting.id)
    const shared = create(sh("sleep 60 & sleep 60 & wait"), { input: { pid: "host" } })
    await containers.runtime.start(shared.id)
    await until(async () => (await containers.runtime.processes(shared.id)).length === 3)
    await containers.runtime.kill(shared.id, 9, shared.pid)
    await containers.runtime.delete(shared.id, `${parent}/${shared.id}`)
    for (const { id } of [running, waiting, shared]) {
      expect(await containers.runtime.state(id)).toBeUndefined()
      for (const left of cgroupDirectories(`${parent}/${id}`, host.cgroup)) expect(existsSync(left)).toBe(false)
    }
  })

  test("start() of a container whose process has died says so and does not wait", async () => {
    const { id, pid } = create(["sleep", "60"])
    process.kill(pid, "SIGKILL")
    await until(async () => (await containers.runtime.state(id))?.status === "stopped")
    await expect(containers.runtime.start(id)).rejects.toThrow()
    await containers.runtime.delete(id)
  })

  test("a process that the kernel killed for want of memory is counted", async () => {
    const { id } = create(["sh", "-c", "head -c 64m /dev/zero | tail -n 1"], {
      hostConfig: { Memory: 8 << 20, MemorySwap: 8 << 20 },
    })
    try {
      expect(oomKilled(`${parent}/${id}`, host.cgroup)).toBe(false)
      await containers.runtime.start(id)
      await until(() => oomKilled(`${parent}/${id}`, host.cgroup))
    } finally {
      await containers.runtime.delete(id)
    }
  })
})

// Images whose program is systemd: they boot, run units in cgroups of their own, and stop in order; nothing is asked of the
// user for it. What only has the name of an init is left as it is.
import { beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { dhow as dhowOf, docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"
import { hasSystemd, systemdTar } from "../support/systemd-image.ts"

const NAMED = "/sys/fs/cgroup/systemd"
const isReady = hasSystemd && dockerProgram !== undefined

describe.skipIf(!isReady)("systemd as a container's program (needs systemd and dpkg on this machine)", () => {
  const engine = testEngine()
  const client = docker(engine)
  const dhow = dhowOf(engine)

  beforeAll(async () => {
    const changes = encodeURIComponent('CMD ["/sbin/init"]')
    await engine.must("POST", `/images/create?fromSrc=-&repo=sd&changes=${changes}`, systemdTar())
  }, 30_000)

  async function booted(name: string): Promise<string> {
    for (;;) {
      const { stdout, stderr } = await client.run(["exec", name, "systemctl", "is-system-running"])
      const state = stdout.trim()
      if (state === "running" || state === "degraded") return state
      if (!(await client.ok("ps", "-q", "--filter", `name=${name}`)))
        throw new Error(`systemd ended: ${stderr} ${await client.ok("logs", name)}`)
      await Bun.sleep(50)
    }
  }

  test("docker run boots it, its units have cgroups of their own, and docker stop halts it", async () => {
    await client.ok("run", "-d", "--name", "boot", "-e", "mine=1", "sd")
    expect(["running", "degraded"]).toContain(await booted("boot"))
    const id = await client.ok("inspect", "-f", "{{.Id}}", "boot")
    const script = "cat /proc/1/cgroup /proc/1/environ; cat /proc/mounts; cat /etc/machine-id"
    const seen = await client.ok("exec", "boot", "sh", "-c", script)
    for (const word of ["container=oci", "mine=1", "tmpfs /run tmpfs rw", "tmpfs /run/lock", id.slice(0, 32)])
      expect(seen).toContain(word)
    expect(seen).toMatch(/^\d*:(?:name=systemd)?:\/init\.scope$/m)
    if (existsSync(NAMED)) {
      expect(seen).toMatch(/ \/sys\/fs\/cgroup\/systemd cgroup rw/)
      // What bounds the container stays out of its hands.
      expect(seen).toMatch(/ \/sys\/fs\/cgroup\/memory cgroup ro/)
      expect(readdirSync(join(NAMED, engine.cgroupParent, id))).toContain("system.slice")
    }
    await client.ok("stop", "-t", "9", "boot")
    // Killed after nine seconds it would be 137.
    expect(await client.ok("inspect", "-f", "{{.State.ExitCode}} {{.State.OOMKilled}}", "boot")).toBe("0 false")
    await client.ok("start", "boot")
    await booted("boot")
    await client.ok("rm", "-f", "boot")
    expect(existsSync(join(NAMED, engine.cgroupParent, id))).toBe(false)
  })

  test("it boots from a read-only root, and under dhow run", async () => {
    await dhow.ok("run", "-d", "--name", "fixed", "--read-only", "sd")
    expect(["running", "degraded"]).toContain(await booted("fixed"))
    await dhow.ok("rm", "-f", "fixed")
  })

  test("--systemd says always or never, and who mounts cgroups by hand is left to it", async () => {
    const mounts = ["grep", " /run ", "/proc/mounts"]
    expect(await dhow.ok("run", "--rm", "--systemd", "always", "bb", ...mounts)).toContain("tmpfs /run tmpfs")
    const own = await dhow.ok("run", "--rm", "--systemd", "always", "--tmpfs", "/run:size=1m", "bb", ...mounts)
    expect(own).toContain("size=1024k")
    expect((await dhow.run(["run", "--rm", "--systemd", "never", "sd"])).status).not.toBe(0)
    const byHand = ["-v", "/sys/fs/cgroup:/sys/fs/cgroup:ro", "--systemd", "always"]
    const seen = await dhow.ok("run", "--rm", ...byHand, "bb", "grep", "cgroup/systemd", "/proc/mounts")
    expect(seen).not.toContain("cgroup rw,nosuid,nodev,noexec")
    const wrong = await dhow.run(["run", "--systemd", "maybe", "bb"])
    expect([wrong.status, wrong.stderr.includes("expected auto, always or never")]).toEqual([125, true])
    const both = await dhow.run(["run", "--init", "--systemd", "always", "bb", "true"])
    expect(both.stderr).toContain("conflicting options: an init process and systemd")
  })

  test("busybox's init is no systemd", async () => {
    const script = "mkdir -p /sbin; cp /bin/busybox /sbin/init"
    await client.ok("run", "--name", "maker", "bb", "sh", "-c", script)
    await client.ok("commit", "-c", 'CMD ["/sbin/init"]', "maker", "busyinit")
    await client.ok("run", "-d", "--name", "busy", "busyinit")
    const mounts = await client.ok("exec", "busy", "cat", "/proc/mounts")
    expect(mounts).not.toContain(" /run ")
    await client.ok("rm", "-f", "busy", "maker")
  })
})

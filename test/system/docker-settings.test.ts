// What docker run's flags do to the process: user, capabilities, limits, init, files, names.
import { describe, expect, test } from "bun:test"
import { readHostCgroups } from "../support/cgroup.ts"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker run's settings", () => {
  const engine = testEngine()
  const client = docker(engine)
  /** Output of a script in a container with these flags. */
  async function output(flags: readonly string[], script: string): Promise<string> {
    const { status, stdout, stderr } = await client.run(["run", "--rm", ...flags, "bb", "sh", "-c", script])
    if (status !== 0) throw new Error(`${flags.join(" ")}: status ${status}: ${stdout}${stderr}`)
    return stdout.trimEnd()
  }
  const capabilities = async (...flags: string[]) =>
    (await output(flags, "grep CapEff /proc/self/status")).replace(/^CapEff:\s*0*/, "")

  test("-u takes a name, an id, and a group", async () => {
    expect(await output(["-u", "1000"], "echo $(id -u):$(id -g)")).toBe("1000:0")
    expect(await output(["-u", "7:8"], "echo $(id -u):$(id -g)")).toBe("7:8")
    expect(await output(["-u", "root", "--group-add", "9"], "id -G")).toBe("0 9")
  })

  test("--cap-drop, --cap-add and --privileged are what the kernel says", async () => {
    expect(await capabilities()).toBe("a80425fb")
    expect(await capabilities("--cap-drop", "ALL")).toBe("")
    expect(await capabilities("--cap-drop", "ALL", "--cap-add", "NET_ADMIN")).toBe("1000")
    expect(await capabilities("--cap-drop", "chown", "--cap-add", "CAP_SYS_TIME")).toBe("aa0425fa")
    expect(BigInt(`0x${await capabilities("--privileged")}`)).toBeGreaterThan(0xff_ffff_ffffn)
    expect(await capabilities("-u", "5")).toBe("")
  })

  test("a container has the default seccomp filter and no new privileges where asked", async () => {
    expect(await output([], "grep Seccomp: /proc/self/status")).toBe("Seccomp:\t2")
    expect(await output(["--security-opt", "seccomp=unconfined"], "grep Seccomp: /proc/self/status")).toBe(
      "Seccomp:\t0",
    )
    expect(await output(["--security-opt", "no-new-privileges"], "grep NoNewPrivs /proc/self/status")).toBe(
      "NoNewPrivs:\t1",
    )
  })

  test("--ulimit sets both limits", async () => {
    expect(await output(["--ulimit", "nofile=100:200"], "ulimit -n; ulimit -Hn")).toBe("100\n200")
  })

  test("-m ends a program that takes more, with 137 and OOMKilled", async () => {
    const script = "x=a; while :; do x=$x$x; done"
    const { status } = await client.run(["run", "--name", "greedy", "-m", "20m", "--init", "bb", "sh", "-c", script])
    expect(status).toBe(137)
    expect(await client.ok("inspect", "-f", "{{.State.OOMKilled}} {{.State.ExitCode}}", "greedy")).toBe("true 137")
    await client.ok("rm", "greedy")
  })

  test("--pids-limit holds the number of processes down", async () => {
    const many = ["run", "--rm", "--pids-limit", "5", "bb", "sh", "-c", "for i in 1 2 3 4 5 6 7; do sleep 1 & done"]
    expect((await client.run(many)).stderr).toContain("can't fork")
  })

  test("--cpus, --cpu-shares, -m and --pids-limit are in the cgroup", async () => {
    const flags = ["--cpus", "0.5", "--cpu-shares", "512", "-m", "64m", "--pids-limit", "77"]
    const id = await client.ok("run", "-d", ...flags, "bb", "sleep", "60")
    expect(readHostCgroups(engine.cgroupParent, id)).toEqual({ cpu: 0.5, memory: 64 * 1024 * 1024, pids: 77 })
    await client.ok("update", "--cpus", "0.25", "--pids-limit", "78", id)
    expect(readHostCgroups(engine.cgroupParent, id)).toMatchObject({ cpu: 0.25, pids: 78 })
    await client.ok("rm", "-f", id)
  })

  test("--init reaps orphans and passes signals on", async () => {
    const orphan = "orphan=$(sh -c 'sleep 0.05 >/dev/null & echo $!')"
    const script = `${orphan}; cat /proc/1/comm; while test -e /proc/$orphan; do usleep 20000; done; echo reaped`
    expect(await output(["--init"], script)).toMatch(/^(init|catatonit|docker-init|dhow-init)\nreaped$/)
    expect(await output([], "echo $$")).toBe("1")
  })

  test("-w is made where it is missing", async () => {
    expect(await output(["-w", "/not/there/yet/"], "pwd")).toBe("/not/there/yet")
  })

  test("--hostname, --add-host and --dns are in the container's files", async () => {
    const flags = ["--hostname", "named", "--add-host", "other:1.2.3.4", "--dns", "9.9.9.9", "--dns-search", "q.test"]
    const files = await output([...flags, "--dns-option", "ndots:2"], "hostname; cat /etc/hosts /etc/resolv.conf")
    expect(files).toMatch(/^named\n/)
    expect(files).toMatch(/^1\.2\.3\.4\tother$/m)
    expect(files).toMatch(/^172\.\d+\.\d+\.\d+\tnamed$/m)
    expect(files).toMatch(/^nameserver 9\.9\.9\.9$/m)
    expect(files).toMatch(/^search q\.test$/m)
    expect(files).toMatch(/^options ndots:2$/m)
  })

  test("the files of the network can be written from inside", async () => {
    expect(await output([], "echo 5.6.7.8 mine >> /etc/hosts && grep mine /etc/hosts")).toBe("5.6.7.8 mine")
  })

  test("--read-only refuses writes but for what is mounted", async () => {
    const script = "touch /x 2>/dev/null || echo refused; touch /tmp/x && echo written; touch /dev/shm/x && echo shared"
    expect(await output(["--read-only", "--tmpfs", "/tmp"], script)).toBe("refused\nwritten\nshared")
  })

  test("--tmpfs takes its options", async () => {
    const mounts = await output(
      ["--tmpfs", "/scratch:size=1m,mode=700,exec"],
      "grep scratch /proc/mounts; stat -c %a /scratch",
    )
    expect(mounts).toContain("size=1024k")
    expect(mounts).not.toContain("noexec")
    expect(mounts).toMatch(/\n700$/)
  })

  test("--shm-size, --sysctl and --device are there", async () => {
    expect(await output(["--shm-size", "1m"], "grep /dev/shm /proc/mounts")).toContain("size=1024k")
    expect(
      await output(
        ["--sysctl", "net.ipv4.ip_unprivileged_port_start=99"],
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
      ),
    ).toBe("99")
    expect(
      await output(["--device", "/dev/null:/dev/nothing"], "echo x > /dev/nothing && stat -c %F /dev/nothing"),
    ).toBe("character special file")
  })

  test("the paths that tell about the host are hidden", async () => {
    expect(await output([], "cat /proc/kcore /proc/timer_list 2>/dev/null | wc -c")).toBe("0")
    expect(await output([], "echo 1 > /proc/sys/kernel/panic 2>/dev/null || echo refused")).toBe("refused")
    expect(await output([], "grep -c ' /sys sysfs ro' /proc/mounts")).toBe("1")
  })

  test("--pid host and --pid container: see the processes of the other", async () => {
    expect(Number(await output(["--pid", "host"], "ps | wc -l"))).toBeGreaterThan(10)
    await client.ok("run", "-d", "--name", "seen", "bb", "sleep", "612")
    expect(await output(["--pid", "container:seen"], "ps | grep -c '[s]leep 612'")).toBe("1")
    await client.ok("rm", "-f", "seen")
  })

  test("--ipc shareable and container: share /dev/shm", async () => {
    await client.ok(
      "run",
      "-d",
      "--name",
      "donor",
      "--ipc",
      "shareable",
      "bb",
      "sh",
      "-c",
      "echo shared > /dev/shm/x; exec sleep 60",
    )
    await client.ok("exec", "donor", "sh", "-c", "until test -s /dev/shm/x; do usleep 10000; done")
    expect(await output(["--ipc", "container:donor"], "cat /dev/shm/x")).toBe("shared")
    await client.ok("rm", "-f", "donor")
  })

  test("--restart on-failure:3 starts three more times, and counts them", async () => {
    const id = await client.ok("run", "-d", "--restart", "on-failure:3", "bb", "sh", "-c", "echo run; exit 5")
    expect(await client.ok("wait", id)).toBe("5")
    // As with Docker, any of its ends answers who waits.
    const state = () => client.ok("inspect", "-f", "{{.RestartCount}} {{.State.Status}}", id)
    while ((await state()) !== "3 exited") await Bun.sleep(50)
    expect(await client.ok("logs", id)).toBe("run\nrun\nrun\nrun")
    await client.ok("rm", id)
  })

  test("--restart always comes back after each exit, and not after a stop", async () => {
    const name = "undying"
    const events = client.spawn([
      "events",
      "--filter",
      `container=${name}`,
      "--filter",
      "event=start",
      "--format",
      "{{.Action}}",
    ])
    await client.ok("run", "-d", "--name", name, "--restart", "always", "bb", "sleep", "0.1")
    await events.stdout.contains("start\nstart\nstart\n")
    await client.ok("stop", "-t", "0", name)
    expect(await client.ok("inspect", "-f", "{{.State.Status}} {{.State.Restarting}}", name)).toBe("exited false")
    await client.ok("start", name)
    expect(await client.ok("inspect", "-f", "{{.RestartCount}}", name)).toBe("0")
    await client.ok("rm", "-f", name)
    events.kill()
    await events.ended()
  })
})

// The configuration of a running daemon: shown with its origins, changed by hand and by command, read again by itself, on
// SIGHUP and on request; what is broken changes nothing. Containers get the daemon's defaults of the moment.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ConfigReload, ConfigReport } from "../../src/wire/config.ts"
import { dhow as dhowOf } from "../support/docker.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"

setDefaultTimeout(30_000)

describe.skipIf(!existsSync("/bin/busybox"))("the daemon's configuration", () => {
  const directory = mkdtempSync(join(tmpdir(), "dhow-config-"))
  const [own, docker] = [join(directory, "etc/dhow/daemon.json"), join(directory, "docker.json")]
  const engine = new TestEngine(["--config-file", own, "--docker-config-file", docker])
  const dhow = dhowOf(engine)
  const write = (value: unknown): void => writeFileSync(own, JSON.stringify(value, null, 2))
  const report = (): Promise<ConfigReport> => engine.must("GET", "/dhow/config")
  const key = async (name: string) => (await report()).Keys.find(({ Key }) => Key === name)
  const reload = (): Promise<ConfigReload> => engine.must("POST", "/dhow/config/reload")
  /** Polls: files are looked at when the kernel says so. */
  async function until(what: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await what())) await Bun.sleep(20)
  }
  async function reloads(): Promise<Record<string, string>[]> {
    // Not in the future: the answer would wait for it.
    const to = (Date.now() / 1000).toFixed(3)
    const { text } = await engine.call("GET", `/events?since=0&until=${to}&filters={"type":["daemon"]}`)
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line).Actor.Attributes)
  }

  beforeAll(async () => {
    mkdirSync(join(directory, "etc/dhow"), { recursive: true })
    writeFileSync(docker, '{\n  "data-root": "/var/lib/docker",\n  "max-concurrent-downloads": 7,\n  "icc": false\n}')
    write({ labels: ["room=12"] })
    await engine.start()
    await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
  })
  afterAll(async () => {
    await engine.destroy()
    rmSync(directory, { recursive: true, force: true })
  })

  test("`dhow config` says of each value who gave it, and of keys without effect why", async () => {
    const { stdout, stderr } = await dhow.run(["config"])
    expect(stdout).toMatch(new RegExp(`^labels +\\["room=12"\\] +${own}:2 +at once$`, "m"))
    expect(stdout).toMatch(new RegExp(`^max-concurrent-downloads +7 +${docker}:3 +at once$`, "m"))
    expect(stdout).toMatch(/^init +false +default +new containers$/m)
    expect(stdout).toMatch(new RegExp(`^data-root +${engine.dataRoot} +--data-root +never live$`, "m"))
    expect(stderr).toContain(`${docker}:2: "data-root" has no effect: Docker's own place`)
    expect(stderr).toContain(`${docker}:4: "icc" has no effect: keeping containers of the default bridge apart`)
    expect(await dhow.ok("config", "get", "labels")).toBe('["room=12"]')
    expect(await dhow.ok("config", "--changed", "--format", "{{.Key}}={{.Origin}}")).not.toContain("=default")
  })

  test("a file that is written takes effect by itself, and its event has dockerd's attributes", async () => {
    write({ labels: ["room=13"], debug: true })
    await until(async () => (await key("debug"))?.Value === true)
    expect(await engine.must("GET", "/info")).toMatchObject({ Labels: ["room=13"], Debug: true })
    const last = (await reloads()).at(-1)
    expect(last).toMatchObject({ debug: "true", labels: '["room=13"]', "max-concurrent-downloads": "7" })
    expect(last).toHaveProperty("live-restore", "true")
    expect(engine.log()).toContain('"key":"debug"')
  })

  test("SIGHUP reads again, with an event even where nothing has changed", async () => {
    const before = (await reloads()).length
    process.kill(engine.pid, "SIGHUP")
    await until(async () => (await reloads()).length > before)
  })

  test("a broken file changes nothing, and file, line and key are said wherever one asks", async () => {
    writeFileSync(own, '{\n  "labels": ["room=14"],\n  "init": "yes"\n}')
    const said = `${own}", line 3: key "init": expected true or false, found "yes"`
    const refused = await engine.call("POST", "/dhow/config/reload")
    expect([refused.status, (refused.json as { message: string }).message]).toEqual([
      400,
      `Configuration file "${said}`,
    ])
    expect((await key("labels"))?.Value).toEqual(["room=13"])
    expect((await report()).Problems).toEqual([`Configuration file "${said}`])
    expect((await dhow.run(["config", "validate", own])).stderr).toContain(said)
    const { status, stderr } = await dhow.run(["config", "set", "debug", "false"])
    expect([status, stderr.includes(said)]).toEqual([1, true])
    writeFileSync(own, '{"labels": [}')
    const broken = await engine.call("POST", "/dhow/config/reload")
    expect(broken.text).toContain("line 1, column 13: expected a value, there is")
    write({})
    expect((await reload()).Problems).toEqual([])
    expect((await key("labels"))?.Value).toEqual([])
  })

  test("`config set`, `unset` and --dry-run change the file and nothing else of it, and say when it takes effect", async () => {
    writeFileSync(own, '{\n\t"debug": false\n}\n')
    chmodSync(own, 0o640)
    await reload()
    expect(await dhow.ok("config", "set", "--dry-run", "init", "true")).toBe("init: false -> true (new containers)")
    expect(readFileSync(own, "utf8")).toBe('{\n\t"debug": false\n}\n')
    expect(await dhow.ok("config", "set", "gc.max", "90%")).toContain('gc: - -> {"max":"90%"} (at once)')
    expect(readFileSync(own, "utf8")).toBe('{\n\t"debug": false,\n\t"gc": {\n\t\t"max": "90%"\n\t}\n}\n')
    expect(statSync(own).mode & 0o777).toBe(0o640)
    expect(await dhow.ok("config", "get", "gc.max")).toBe("90%")
    expect(await dhow.ok("config", "unset", "gc")).toContain('gc: {"max":"90%"} -> - (at once)')
    expect(await dhow.ok("config", "set", "storage-driver", "directory")).toContain(
      "storage-driver: auto -> directory (after a restart: it is read when the daemon starts",
    )
    expect(await key("storage-driver")).toMatchObject({ Value: "auto", Pending: { Value: "directory" } })
    expect((await dhow.run(["config", "set", "cgroup-parent", "/x"])).stderr).toContain(
      '"cgroup-parent" is given by --cgroup-parent, which stands before the file',
    )
    for (const [args, message] of [
      [["set", "colour", "red"], '"colour" is no key of the configuration'],
      [["set", "dns", "x"], 'key "dns": expected a list of IP addresses, found "x"'],
      [["set", "log-opts.max-size", "many"], 'key "log-opts": failed to set log opts: invalid size'],
      [["set", "gc.max.x", "1"], 'key "gc.max": expected a share of the disk'],
    ] as const)
      expect((await dhow.run(["config", ...args])).stderr).toContain(message)
    const hostile = await engine.call("POST", "/dhow/config", { Set: { "__proto__.x": 1, "": 2 } })
    expect(hostile.status).toBe(400)
    expect((await engine.call("POST", "/dhow/config", { Set: 5 })).status).toBe(400)
    write({})
    await reload()
  })

  test("containers get the daemon's defaults of the moment", async () => {
    write({
      "default-ulimits": { nofile: { Name: "nofile", Soft: 77, Hard: 99 } },
      "default-shm-size": "1m",
      "no-new-privileges": true,
      "seccomp-profile": "unconfined",
      dns: ["192.0.2.9"],
      "default-ipc-mode": "shareable",
    })
    const script =
      "ulimit -n; ulimit -Hn; grep -E 'Seccomp:|NoNew' /proc/self/status; df -k /dev/shm; cat /etc/resolv.conf"
    const output = await dhow.ok("run", "--rm", "bb", "sh", "-c", script)
    for (const word of ["77", "99", "Seccomp:\t0", "NoNewPrivs:\t1", " 1024 ", "nameserver 192.0.2.9"])
      expect(output).toContain(word)
    const own = ["--ulimit", "nofile=55:66", "--shm-size", "2m", "--security-opt", "no-new-privileges=false"]
    const other = await dhow.ok("run", "--rm", "--name", "own", ...own, "bb", "sh", "-c", script)
    for (const word of ["55\n66\n", "NoNewPrivs:\t0", " 2048 "]) expect(other).toContain(word)
    const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create", { Image: "bb", Cmd: ["true"] })
    const { HostConfig } = await engine.must<{ HostConfig: Record<string, unknown> }>("GET", `/containers/${Id}/json`)
    expect(HostConfig).toMatchObject({ ShmSize: 1024 * 1024, IpcMode: "shareable" })
    expect(HostConfig["Ulimits"]).toEqual([{ Name: "nofile", Soft: 77, Hard: 99 }])
    await engine.must("DELETE", `/containers/${Id}`)
    write({})
    await reload()
  })

  test("a runtime is known as soon as the file names it, installed or not", async () => {
    write({ runtimes: { mine: { path: "crun" }, gone: { path: "/nonexistent/runtime" } } })
    const info = await reload().then(() => engine.must<{ Runtimes: Record<string, unknown> }>("GET", "/info"))
    expect(Object.keys(info.Runtimes)).toContain("gone")
    expect(await dhow.ok("run", "--rm", "--runtime", "mine", "bb", "echo", "with mine")).toBe("with mine")
    const { status, stderr } = await dhow.run(["run", "--rm", "--runtime", "gone", "bb", "true"])
    expect([status, stderr.includes('Runtime "gone" cannot be used')]).toEqual([125, true])
    write({ "default-runtime": "nope" })
    expect((await engine.call("POST", "/dhow/config/reload")).text).toContain("default runtime 'nope' does not exist")
    write({})
    await reload()
    expect((await dhow.run(["run", "--rm", "--runtime", "mine", "bb", "true"])).stderr).toContain("unknown or invalid")
  })

  test("the bridge gets another subnet while nobody is on it, and keeps its own while somebody is", async () => {
    const address = "{{.NetworkSettings.Networks.bridge.Gateway}}"
    // Ready namespaces may be on their way: who asks while the bridge is made anew waits for it.
    expect(await dhow.ok("config", "set", "bip", "10.213.9.1/24")).toContain("(at once)")
    await dhow.ok("run", "-d", "--name", "on", "bb", "sleep", "100")
    expect(await dhow.ok("inspect", "-f", address, "on")).toBe("10.213.9.1")
    const said = await dhow.ok("config", "set", "bip", "10.213.8.1/24")
    expect(said).toContain("(after a restart: 1 container is on the default bridge)")
    expect((await key("bip"))?.Value).toBe("10.213.9.1/24")
    await dhow.ok("rm", "-f", "on")
    write({})
    await reload()
  })

  test("another socket opens and closes while the daemon serves; one that cannot be had changes nothing", async () => {
    const second = join(directory, "second.sock")
    const file = join(directory, "hosts.json")
    const hosts = new TestEngine(["--config-file", file, "--docker-config-file", ""])
    // Its flags stand before the file, so that of the addresses has to go.
    const at = hosts.flags.indexOf("-H")
    Object.assign(hosts, { flags: hosts.flags.toSpliced(at, 2) })
    writeFileSync(file, JSON.stringify({ hosts: [`unix://${hosts.socket}`] }))
    try {
      await hosts.start()
      const ping = async (): Promise<number> => (await fetch("http://d/_ping", { unix: second })).status
      const edit = (list: readonly string[]) => hosts.call("POST", "/dhow/config", { Set: { hosts: list } })
      expect((await edit([`unix://${hosts.socket}`, `unix://${second}`])).status).toBe(200)
      expect(await ping()).toBe(200)
      writeFileSync(join(directory, "file"), "")
      const taken = await edit([`unix://${hosts.socket}`, `unix://${second}`, `unix://${directory}/file`])
      const refused = (taken.json as ConfigReload).Changes[0]
      expect(refused).toMatchObject({ Key: "hosts", Effect: "refused" })
      expect(refused?.Reason).toContain("there is a file that is not a socket")
      const { Keys } = await hosts.must<ConfigReport>("GET", "/dhow/config")
      expect(Keys.find(({ Key }) => Key === "hosts")?.Value).toEqual([`unix://${hosts.socket}`, `unix://${second}`])
      expect(await ping()).toBe(200)
      await edit([`unix://${hosts.socket}`])
      expect(existsSync(second)).toBe(false)
      const moved = await hosts.call("POST", "/dhow/config", { Set: { "data-root": "/elsewhere" } })
      expect([moved.status, moved.text.includes("given by --data-root")]).toEqual([200, true])
      await hosts.call("POST", "/dhow/config", { Unset: ["data-root"] })
    } finally {
      await hosts.destroy()
    }
  })
})

// Containers changed while they run, through docker's client, the API and dhow's own commands.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createConnection } from "node:net"
import { join } from "node:path"
import { CommandLine, dhow, docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"
import { agree } from "../support/invariants.ts"

const engine = testEngine()
const client = dhow(engine)
let host = ""

type Inspect = {
  readonly State: { readonly Pid: number; readonly Status: string }
  readonly Config: { readonly Env: string[]; readonly Image: string; readonly Labels: Record<string, string> }
  readonly HostConfig: { readonly Memory: number; readonly PortBindings: Record<string, unknown> | null }
  readonly Mounts: readonly { readonly Type: string; readonly Destination: string; readonly RW: boolean }[]
  readonly NetworkSettings: {
    readonly IPAddress: string
    readonly Ports: Record<string, { readonly HostPort: string }[] | null>
  }
}

const inspect = (name: string): Promise<Inspect> => engine.must<Inspect>("GET", `/containers/${name}/json`)
const update = (name: string, body: unknown) => engine.call("POST", `/containers/${name}/update`, body)
const run = (name: string, script: string) => client.run(["exec", name, "sh", "-c", script])
/** Sends back what it gets, to one client after the other. */
const ECHO = "serve() { busybox mkfifo /$1; while :; do nc -l -p $1 < /$1 | cat > /$1; done; }"
const LOOP = "trap exit TERM; while :; do sleep 0.1; done"

async function start(name: string, flags: readonly string[] = [], script = LOOP): Promise<void> {
  await client.ok("run", "-d", "--name", name, "--init=false", ...flags, "bb", "sh", "-c", script)
}

beforeAll(() => {
  host = mkdtempSync(join(engine.root, "host-"))
  mkdirSync(join(host, "below"))
  writeFileSync(join(host, "file"), "of the host\n")
})

afterAll(() => rmSync(host, { recursive: true, force: true }))

describe("mounts of a container that runs", () => {
  test("appear with what runs, of every type, and are there after a restart", async () => {
    await start("mounts")
    const { Pid } = (await inspect("mounts")).State
    const line = await client.ok(
      ...["update", "--mount-add", `${host}:/deep/in/side:ro`, "--mount-add", "type=tmpfs,target=/cache,tmpfs-size=1m"],
      ...["--mount-add", "data:/vol", "--mount-add", "type=image,source=bb,target=/img"],
      ...["--mount-add", `type=bind,source=${host}/file,target=/etc/of-host`, "mounts"],
    )
    expect(line).toBe("mounts")
    const seen = "cat /deep/in/side/file /etc/of-host /vol/seed /img/vol/seed && touch /vol/x /cache/x"
    expect(await run("mounts", seen)).toMatchObject({ status: 0, stdout: "of the host\nof the host\nseed\nseed\n" })
    for (const path of ["/deep/in/side/x", "/img/x"])
      expect((await run("mounts", `touch ${path}`)).stderr).toContain("Read-only file system")
    const after = await inspect("mounts")
    expect(after.State.Pid).toBe(Pid)
    expect(after.Mounts.map(({ Type, Destination, RW }) => `${Type} ${Destination} ${RW}`).sort()).toEqual([
      "bind /deep/in/side false",
      "bind /etc/of-host true",
      "image /img false",
      "tmpfs /cache true",
      "volume /vol true",
    ])
    await client.ok("restart", "-t", "0", "mounts")
    expect(await run("mounts", "cat /deep/in/side/file /etc/of-host /img/vol/seed; ls /vol")).toMatchObject({
      stdout: "of the host\nof the host\nseed\nseed\nx\n",
    })
  })

  test("go when nobody uses them; who does is named, and keeps what it has with --force", async () => {
    await run("mounts", "sleep 60 < /cache/../vol/seed & cd /cache && sleep 61 & true")
    const busy = await client.run(["update", "--mount-rm", "/cache", "mounts"])
    expect(busy.status).toBe(1)
    expect(busy.stderr).toMatch(/Cannot take away the mount at "\/cache": process \d+ \(\w+\) works in "\/cache"/)
    expect(busy.stderr).toContain("--force")
    const open = await client.run(["update", "--mount-rm", "/vol", "mounts"])
    expect(open.stderr).toMatch(/process \d+ \(\w+\) has "\/vol\/seed" open/)
    expect((await inspect("mounts")).Mounts).toHaveLength(5)
    await client.ok("update", "--force", "--mount-rm", "/cache", "--mount-rm", "/vol", "--mount-rm", "/img", "mounts")
    expect((await run("mounts", "ls /cache /img; cat /vol/seed; cat /img/vol/seed")).stdout).not.toContain("x")
    expect((await inspect("mounts")).Mounts.map(({ Destination }) => Destination)).toEqual([
      "/etc/of-host",
      "/deep/in/side",
    ])
    expect(await client.ok("volume", "ls", "-q")).toContain("data")
  })

  test("are replaced in one step", async () => {
    await update("mounts", { MountAdd: [{ Type: "tmpfs", Target: "/place" }] })
    await run("mounts", "echo old > /place/file")
    const { status } = await update("mounts", {
      MountRm: ["/place"],
      MountAdd: [{ Type: "bind", Source: host, Target: "/place", ReadOnly: true }],
    })
    expect(status).toBe(200)
    expect((await run("mounts", "cat /place/file; grep -c ' /place ' /proc/mounts")).stdout).toBe("of the host\n1\n")
  })

  test("lie inside the container, wherever its own links lead", async () => {
    await run("mounts", "ln -s /../../../../../etc /out; ln -s loop /loop; ln -s /nowhere /dangling; echo x > /plain")
    const add = (Target: string) => update("mounts", { MountAdd: [{ Type: "bind", Source: host, Target }] })
    expect((await add("/out/inner")).status).toBe(200)
    expect((await run("mounts", "cat /etc/inner/file")).stdout).toBe("of the host\n")
    expect((await add("/loop/x")).text).toContain("its symbolic links lead in a circle")
    expect((await add("/dangling")).text).toContain("is a link that leads nowhere")
    expect((await add("/plain/x")).text).toContain("a part of it is a file")
    expect((await add("/plain")).text).toContain("Cannot mount a directory at")
    expect((await inspect("mounts")).Mounts.map(({ Destination }) => Destination)).not.toContain("/plain")
    expect((await update("mounts", { MountRm: ["/out/inner"] })).status).toBe(200)
    expect((await run("mounts", "ls /etc/inner")).stdout).toBe("")
  })

  test("that fail leave nothing: neither the others of the same step, nor places, ports and limits", async () => {
    const answer = await update("mounts", {
      Memory: 64 << 20,
      PublishAdd: { "80/tcp": [{}] },
      MountAdd: [
        { Type: "tmpfs", Target: "/first/new" },
        { Type: "bind", Source: host, Target: "/plain" },
      ],
    })
    expect(answer.status).toBe(400)
    expect((await run("mounts", "ls -d /first")).status).toBe(1)
    const { HostConfig, Mounts } = await inspect("mounts")
    expect(HostConfig.Memory).toBe(0)
    expect(HostConfig.PortBindings ?? {}).toEqual({})
    expect(Mounts.some(({ Destination }) => Destination === "/first/new")).toBe(false)
    expect((await run("mounts", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes || true")).stdout).not.toBe(
      `${64 << 20}\n`,
    )
  })

  test("find a place on a read-only root", async () => {
    await start("sealed", ["--read-only"])
    expect((await update("sealed", { MountAdd: [{ Type: "tmpfs", Target: "/made/here" }] })).status).toBe(200)
    expect((await run("sealed", "touch /made/here/x && ! touch /made/x")).status).toBe(0)
    await client.ok("rm", "-f", "sealed")
  })
})

describe("ports of a container that runs", () => {
  const port = async (name: string, inner: string): Promise<number> =>
    Number((await inspect(name)).NetworkSettings.Ports[inner]?.[0]?.HostPort)

  test("are published and withdrawn at once, and other connections go on", async () => {
    await start("ports", ["-p", "80"], `${ECHO}; serve 80 & serve 81 & while :; do sleep 1; done`)
    const first = await port("ports", "80/tcp")
    const connection = await echoing(first)
    await client.ok("update", "--publish-add", "127.0.0.1::81", "ports")
    const second = await port("ports", "81/tcp")
    expect(await client.ok("port", "ports")).toContain(`81/tcp -> 127.0.0.1:${second}`)
    expect(await client.ok("ps", "--format", "{{.Ports}}", "--filter", "name=ports")).toContain(
      `127.0.0.1:${second}->81`,
    )
    const other = await echoing(second)
    expect(await other.echo("two")).toBe("two")
    expect(await connection.echo("one")).toBe("one")
    await client.ok("update", "--publish-rm", "81", "ports")
    expect(await refused(second)).toBe(true)
    expect(await connection.echo("still")).toBe("still")
    connection.end()
    other.end()
  })

  test("meet the same conflicts as those of run, and change nothing then", async () => {
    const taken = await port("ports", "80/tcp")
    await start("rival")
    const created = await client.run(["run", "-d", "--name", "late", "-p", `${taken}:80`, "bb", "true"])
    const updated = await client.run(["update", "--publish-add", `${taken}:80`, "rival"])
    const reason = `Bind for 0.0.0.0:${taken} failed: port is already allocated`
    expect(created.stderr).toContain(reason)
    expect(updated.stderr).toContain(reason)
    expect((await inspect("rival")).NetworkSettings.Ports).toEqual({})
    expect((await update("rival", { PublishRm: { "80/tcp": null } })).status).toBe(400)
    await client.ok("rm", "-f", "rival", "late", "ports")
  })
})

describe("a restart in the same step", () => {
  test("keeps files, address and volumes, and what cannot be started is as it was", async () => {
    await start("again", ["-v", "kept:/kept", "-e", "A=1", "--label", "old=1"])
    await run("again", "echo mine > /own; echo more > /kept/file")
    const before = await inspect("again")
    const later = await client.run(["update", "--env", "A=2", "--label", "new=1", "--label-rm", "old", "again"])
    expect(later.stderr).toContain('Env of "again" takes effect when it is restarted')
    expect((await inspect("again")).Config).toMatchObject({ Env: ["A=2"], Labels: { new: "1" } })
    expect(readFileSync(`/proc/${before.State.Pid}/environ`, "utf8")).toContain("A=1")
    await client.ok("tag", "bb", "bb:other")
    await client.ok("update", "--image", "bb:other", "--env", "B=3", "--restart-now", "again")
    const after = await inspect("again")
    expect(after.State.Pid).not.toBe(before.State.Pid)
    expect(after.NetworkSettings.IPAddress).toBe(before.NetworkSettings.IPAddress)
    expect(after.Config).toMatchObject({ Image: "bb:other", Env: ["A=2", "B=3"] })
    expect((await run("again", "cat /own /kept/file; echo $A$B")).stdout).toBe("mine\nmore\n23\n")
    const failed = await update("again", { Cmd: ["/none"], EnvAdd: ["A=9"], RestartNow: true })
    expect(failed.text).toContain("cannot be started so, and runs as it was")
    expect((await inspect("again")).State.Status).toBe("running")
    expect((await inspect("again")).Config.Env).toEqual(["A=2", "B=3"])
  })

  test("is needed for another image while it runs, and not when it does not", async () => {
    expect((await update("again", { Image: "bb" })).text).toContain("while it runs")
    await client.ok("stop", "-t", "0", "again")
    const { json } = await update("again", { Image: "bb", Cmd: ["cat", "/own"], RestartNow: true })
    expect(json).toMatchObject({ Restarted: false, Changes: [{ Field: "Cmd", Effect: "start" }, { Field: "Image" }] })
    expect(await client.ok("start", "-a", "again")).toBe("mine")
  })
})

describe("dhow edit", () => {
  test("shows what would change, does it, and says what waits for a restart", async () => {
    await start("form", ["--label", "tier=front", "-e", "A=1"])
    const script = join(engine.root, "editor")
    writeFileSync(
      script,
      `sed -i -e 's/tier: front/tier: back/' -e 's/^memory: .*/memory: 48m/' -e 's/A: .*/A: two/' "$1"`,
    )
    const env = { VISUAL: "", EDITOR: `sh ${script}` }
    const dry = await client.run(["edit", "--dry-run", "form"], { env })
    expect(dry.stdout).toMatch(/^on restart +Env +- A=1\non restart +Env +\+ A=two\nlive +Labels +- tier=front\n/)
    expect((await inspect("form")).HostConfig.Memory).toBe(0)
    const unasked = await client.run(["edit", "form"], { env })
    expect(unasked.stderr).toContain("Say --yes")
    const done = await client.run(["container", "edit", "--yes", "form"], { env })
    expect(done.stderr).toContain('Env of "form" takes effect when it is restarted')
    expect(await inspect("form")).toMatchObject({
      HostConfig: { Memory: 48 << 20 },
      Config: { Labels: { tier: "back" } },
    })
  })

  test("changes nothing for an editor that fails, a form as it was, and a form that cannot be used", async () => {
    const edit = (EDITOR: string) => client.run(["edit", "--yes", "form"], { env: { VISUAL: "", EDITOR } })
    expect(await edit("true")).toMatchObject({ status: 0, stdout: "Nothing is changed\n" })
    expect(await edit("false")).toMatchObject({ status: 1 })
    expect((await edit("sed -i s/^labels/lables/")).stderr).toContain('There is no setting "lables"')
    const text = await client.ok("edit", "--print", "form")
    const given = await client.run(["edit", "--yes", "--file", "-", "form"], { stdin: text.replace("48m", "64m") })
    expect(given).toMatchObject({ status: 0 })
    expect((await inspect("form")).HostConfig.Memory).toBe(64 << 20)
  })

  test("opens a form that cannot be used again in a terminal, with the reason on top, and asks before it does anything", async () => {
    const script = join(engine.root, "mender")
    writeFileSync(
      script,
      `if grep '^#!' "$1"; then sed -i 's/^memory: .*/memory: 56m/' "$1"; else sed -i 's/^memory: .*/memory: 5q/' "$1"; fi`,
    )
    const main = join(import.meta.dir, "../../src/main.ts")
    const words = [process.execPath, main, "-H", `unix://${engine.socket}`]
    using session = new CommandLine(words, { VISUAL: `sh ${script}` }).terminal(["edit", "form"])
    await session.screen.contains("invalid suffix: 'q'")
    await session.screen.contains("Do this? [y/N]")
    expect((await inspect("form")).HostConfig.Memory).toBe(64 << 20)
    session.type("y\n")
    expect(await session.ended()).toBe(0)
    expect((await inspect("form")).HostConfig.Memory).toBe(56 << 20)
  })
})

describe.skipIf(dockerProgram === undefined)("docker update", () => {
  test("changes several containers in any state, and names those that it cannot", async () => {
    const real = docker(engine)
    await start("paused")
    await real.ok("pause", "paused")
    const { status, stdout, stderr } = await real.run([
      ...["update", "--memory", "80m", "--memory-swap", "160m", "--cpus", "0.5", "--pids-limit", "40"],
      ...["--restart", "on-failure:2", "form", "nobody", "paused", "again"],
    ])
    expect(status).toBe(1)
    expect(stdout.trim().split("\n")).toEqual(["form", "paused", "again"])
    expect(stderr).toContain("No such container: nobody")
    for (const name of ["form", "paused", "again"])
      expect(
        await real.ok(
          "inspect",
          "-f",
          "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}",
          name,
        ),
      ).toBe(`${80 << 20} 500000000 40`)
    expect((await real.run(["update", "--cpu-period", "50000", "form"])).stderr).toContain(
      "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set",
    )
    expect((await real.run(["update", "-m", "1m", "form"])).stderr).toContain("Minimum memory limit allowed is 6MB")
    await real.ok("update", "--pids-limit", "-1", "form")
    expect(await real.ok("inspect", "-f", "{{.HostConfig.PidsLimit}}", "form")).toBe("0")
    await client.ok("update", "--cpus", "0", "--memory", "-1", "form")
    expect(await real.ok("inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", "form")).toBe("0 0")
  })

  test("is refused as a whole for a field that nobody knows, a wrong type, and a policy for what is removed at its end", async () => {
    expect((await update("form", { Memory: 90 << 20, PublishAd: {} })).text).toContain('unknown field \\"PublishAd\\"')
    expect((await update("form", { MountRm: "/x" })).status).toBe(400)
    expect((await update("form", { EnvAdd: ["NOVALUE"] })).status).toBe(400)
    await start("brief", ["--rm"])
    expect(await update("brief", { RestartPolicy: { Name: "always" } })).toMatchObject({
      status: 409,
      json: { message: "Restart policy cannot be updated because AutoRemove is enabled for the container" },
    })
    expect((await inspect("form")).HostConfig.Memory).toBe(0)
  })
})

test("nothing is left of all this once the containers are gone", async () => {
  for (const name of ["mounts", "again", "form", "paused", "brief"])
    await engine.call("DELETE", `/containers/${name}?force=1&v=1`)
  await agree(engine)
})

type Echo = { echo(text: string): Promise<string>; end(): void }

/** A connection to a server that sends back what it gets, once that answers. */
async function echoing(port: number): Promise<Echo> {
  for (let tried = 0; ; tried++) {
    const socket = createConnection({ host: "127.0.0.1", port })
    socket.on("error", () => undefined)
    const echo = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        socket.once("data", (data) => resolve(data.toString()))
        socket.once("close", () => reject(new Error(`The connection to port ${port} was closed`)))
        socket.write(text)
      })
    const answer = await Promise.race([echo("hello"), Bun.sleep(1000).then(() => "")]).catch(() => "")
    if (answer === "hello") return { echo, end: () => socket.destroy() }
    socket.destroy()
    if (tried === 50) throw new Error(`Port ${port} does not answer`)
    await Bun.sleep(50)
  }
}

/** Whether a connection is refused, now or soon. */
async function refused(port: number): Promise<boolean> {
  for (let tried = 0; tried < 50; tried++) {
    const outcome = await new Promise<string>((resolve) => {
      const socket = createConnection({ host: "127.0.0.1", port })
      socket.on("connect", () => {
        socket.destroy()
        resolve("connected")
      })
      socket.on("error", () => resolve("refused"))
    })
    if (outcome === "refused") return true
    await Bun.sleep(50)
  }
  return false
}

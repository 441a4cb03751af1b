// Mounts with a map of ids: whose the files are inside and outside, for callers who are not root, on every way that a
// mount comes into a container.
import { beforeAll, describe, expect, test } from "bun:test"
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { MS, mount, unmount } from "../../src/lib/syscalls/mount.ts"
import { dhow, docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"
import { mountsBelow } from "../support/kernel-objects.ts"

const engine = testEngine()
const client = dhow(engine)
const UID = 1000
const GID = 1001
let home = ""

type Mounts = {
  readonly Mounts: readonly { readonly Destination: string; readonly Map?: string; readonly Mode: string }[]
}

const owner = (path: string): string => {
  const { uid, gid } = lstatSync(join(home, path))
  return `${uid}:${gid}`
}
const run = (flags: readonly string[], script: string) =>
  client.run(["run", "--rm", ...flags, "bb", "sh", "-c", script])

/** One request by a process of another user; the program is named by a descriptor, for its directory may not be theirs. */
async function asUser(method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
  const script = `const r = await fetch("http://dhow${path}", { unix: process.env.SOCKET, method: "${method}", body: process.env.BODY, headers: { "content-type": "application/json" } }); console.log(JSON.stringify({ status: r.status, text: await r.text() }))`
  const program = openSync(process.execPath, "r")
  const child = Bun.spawn(
    ["setpriv", `--reuid=${UID}`, `--regid=${GID}`, "--groups=1001,50,60", "/proc/self/fd/3", "-e", script],
    {
      cwd: "/",
      env: { SOCKET: engine.socket, BODY: JSON.stringify(body), TMPDIR: "/tmp", HOME: "/nonexistent" },
      stdio: ["ignore", "pipe", "inherit", program],
    },
  )
  try {
    return JSON.parse(await new Response(child.stdout).text())
  } finally {
    closeSync(program)
  }
}

beforeAll(() => {
  home = join(engine.root, "home")
  mkdirSync(join(home, "deep/er"), { recursive: true })
  writeFileSync(join(home, "mine"), "mine\n", { mode: 0o600 })
  writeFileSync(join(home, "roots"), "of root\n", { mode: 0o644 })
  symlinkSync("deep/er", join(home, "link"))
  symlinkSync("/etc/hostname", join(home, "absolute"))
  for (const path of ["", "mine", "deep", "deep/er"]) chownSync(join(home, path), UID, GID)
  chmodSync(home, 0o700)
  chmodSync(engine.root, 0o711)
  chownSync(engine.socket, UID, GID)
})

async function startAgain(): Promise<void> {
  await engine.start()
  chownSync(engine.socket, UID, GID)
}

describe("a mount with map=me", () => {
  test("shows the caller's files as the container's user's, and its files are the caller's", async () => {
    const container = {
      Image: "bb",
      User: "33:33",
      Cmd: [
        "sh",
        "-c",
        "cat mine && stat -c %u:%g . mine roots && echo x > made && mkdir -p link/in && echo y > link/in/y && ln -s made soft && chmod 4755 made && ! chown 0:0 made 2>&1; stat -c %u:%g:%a made",
      ],
      WorkingDir: "/to",
      HostConfig: { Binds: [`${home}:/to:map=me`] },
    }
    const created = await asUser("POST", "/containers/create?name=mapped", container)
    expect(created).toMatchObject({ status: 201 })
    const { Mounts } = await engine.must<Mounts>("GET", "/containers/mapped/json")
    expect(Mounts).toMatchObject([{ Destination: "/to", Map: `${UID}:${GID}` }])
    const { status, stdout, stderr } = await client.run(["start", "-a", "mapped"])
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(stdout).toStartWith("mine\n33:33\n33:33\n65534:65534\n")
    expect(stdout).toEndWith("33:33:4755\n")
    for (const path of ["made", "deep/er/in", "deep/er/in/y", "soft", "mine"]) expect(owner(path)).toBe(`${UID}:${GID}`)
    expect(owner("roots")).toBe("0:0")
    // What the runtime was given is not left on the host.
    expect(mountsBelow(join(engine.execRoot, "containers")).filter((path) => path.includes("/mapped"))).toEqual([])
    await client.ok("rm", "mapped")
  })

  test("root inside is the caller outside, and nobody's root", async () => {
    const flags = ["-v", `${home}:/to:map=${UID}:${GID}`]
    expect(await run(flags, "cat /to/mine && echo x > /to/by-root && mkdir /to/dir && mknod /to/fifo p")).toMatchObject(
      { status: 0, stdout: "mine\n" },
    )
    for (const path of ["by-root", "dir", "fifo"]) expect(owner(path)).toBe(`${UID}:${GID}`)
    const others = await run(
      flags,
      "cat /to/roots; echo x >> /to/roots; chown 33 /to/by-root; su -s /bin/sh -c true 2>&1",
    )
    expect(others.stdout).toStartWith("of root\n")
    expect(others.stderr).toContain("can't create /to/roots: Permission denied")
    expect(owner("by-root")).toBe(`${UID}:${GID}`)
    // Whoever is not mapped, root too, makes nothing.
    const root = await run([...flags, "-u", "33"], "ls /to >/dev/null && echo as33 > /to/by-33; id -u")
    expect(root).toMatchObject({ status: 0, stdout: "33\n" })
    expect(owner("by-33")).toBe(`${UID}:${GID}`)
    await client.ok("run", "-d", "--name", "by-exec", "-u", "33", ...flags, "bb", "sleep", "600")
    const exec = await client.run(["exec", "-u", "0", "by-exec", "sh", "-c", "echo x > /to/by-exec"])
    expect(exec.stderr).toContain("Value too large")
    expect(readdirSync(home)).not.toContain("by-exec")
    await client.ok("rm", "-f", "by-exec")
  })

  test("is read-only, of a file, of a part of a volume, and of what is made for it", async () => {
    const map = `map=${UID}:${GID}`
    expect(
      (await run(["-u", "33", "-v", `${home}:/to:ro,z,${map}`], "cat /to/mine; echo x > /to/mine")).stderr,
    ).toContain("Read-only file system")
    const file = ["--mount", `type=bind,src=${home}/mine,dst=/etc/mine,${map}`]
    expect(await run(["-u", "33", ...file], "cat /etc/mine && stat -c %u /etc/mine && : >> /etc/mine")).toMatchObject({
      status: 0,
      stdout: "mine\n33\n",
    })
    expect((await run(["-u", "33", "-v", `${home}/made-for/it:/to:${map}`], "echo x > /to/x")).status).toBe(0)
    for (const path of ["made-for", "made-for/it", "made-for/it/x"]) expect(owner(path)).toBe(`${UID}:${GID}`)
    await run(["-v", "parts:/data"], "mkdir -p /data/a/b && chown -R 1000:1001 /data/a")
    const part = ["--mount", `type=volume,src=parts,dst=/to,volume-subpath=a/b,${map}`]
    expect(await run(["-u", "7:8", ...part], "echo x > /to/x && stat -c %u:%g /to/x")).toMatchObject({
      status: 0,
      stdout: "7:8\n",
    })
    const [{ Mountpoint }] = JSON.parse(await client.ok("volume", "inspect", "parts"))
    expect(lstatSync(join(Mountpoint, "a/b/x"))).toMatchObject({ uid: UID, gid: GID })
  })

  test("a new volume gets the image's content, owned by who has it outside", async () => {
    expect(
      await run(["-u", "33", "-v", `filled:/vol:map=${UID}:${GID}`], "cat /vol/seed && echo x > /vol/x"),
    ).toMatchObject({ status: 0, stdout: "seed\n" })
    const [{ Mountpoint }] = JSON.parse(await client.ok("volume", "inspect", "filled"))
    for (const name of ["", "seed", "x"])
      expect(lstatSync(join(Mountpoint, name))).toMatchObject({ uid: UID, gid: GID })
    const ranges = "map=uids=0:5000:100;gids=0:6000:100"
    expect(
      await run(
        ["--mount", `type=volume,src=ranged,dst=/vol,${ranges}`],
        "echo x > /vol/x && chown 33:34 /vol/x && stat -c %u:%g /vol /vol/seed /vol/x",
      ),
    ).toMatchObject({ status: 0, stdout: "0:0\n0:0\n33:34\n" })
    const [ranged] = JSON.parse(await client.ok("volume", "inspect", "ranged"))
    expect(lstatSync(join(ranged.Mountpoint, "seed"))).toMatchObject({ uid: 5000, gid: 6000 })
    expect(lstatSync(join(ranged.Mountpoint, "x"))).toMatchObject({ uid: 5033, gid: 6034 })
    // Without content of the image, empty or not.
    expect((await run(["-u", "33", "-v", `bare:/elsewhere:nocopy,map=${UID}`], "echo x > /elsewhere/x")).status).toBe(0)
    expect((await run(["-u", "44", "-v", `bare:/elsewhere:map=${UID}`], "cat /elsewhere/x")).stdout).toBe("x\n")
    await client.ok("volume", "rm", "filled", "ranged", "bare", "parts")
  })

  test("is put into a container that runs, and stays over a restart, of the engine too", async () => {
    await client.ok("run", "-d", "--name", "live", "-u", "33", "bb", "sleep", "600")
    const added = await asUser("POST", "/containers/live/update", {
      MountAdd: [{ Type: "bind", Source: home, Target: "/to", BindOptions: { Map: "me" } }],
    })
    expect(added).toMatchObject({ status: 200 })
    const write = (name: string) =>
      client.run(["exec", "live", "sh", "-c", `echo x > /to/${name} && stat -c %u /to/${name}`])
    expect(await write("live")).toMatchObject({ status: 0, stdout: "33\n" })
    expect((await engine.must<Mounts>("GET", "/containers/live/json")).Mounts).toMatchObject([{ Map: `${UID}:${GID}` }])
    await engine.kill()
    await startAgain()
    expect(await write("after-crash")).toMatchObject({ status: 0, stdout: "33\n" })
    await client.ok("restart", "-t", "0", "live")
    expect(await write("after-restart")).toMatchObject({ status: 0, stdout: "33\n" })
    await client.ok("update", "--mount-rm", "/to", "live")
    expect((await write("gone")).status).not.toBe(0)
    for (const name of ["live", "after-crash", "after-restart"]) expect(owner(name)).toBe(`${UID}:${GID}`)
    // Copies too.
    await client.ok("update", "--mount-add", `${home}:/to:map=${UID}:${GID}`, "live")
    await client.ok("cp", join(home, "roots"), "live:/to/copied")
    expect(owner("copied")).toBe(`${UID}:${GID}`)
    expect((await client.run(["exec", "live", "stat", "-c", "%u", "/to/copied"])).stdout).toBe("33\n")
    await client.ok("rm", "-f", "live")
  })

  test("says why not: no map, no such caller, a file system that cannot", async () => {
    const refused = async (...flags: string[]) => (await run(flags, "true")).stderr
    expect(await refused("-v", `${home}:/to:map=you`)).toContain('invalid map "you": it is neither an owner nor ranges')
    expect(await refused("-v", `${home}:/to:map=uids=0:5:10;uids=20:9:1`)).toContain(
      "has ids outside that another range has",
    )
    expect(await refused("-v", `${home}:/to:rslave,map=5`)).toContain(
      'conflicting options: map="5" and propagation "rslave"',
    )
    expect(await refused("--mount", "type=tmpfs,dst=/to,map=5")).toContain("cannot use 'map' with mount type 'tmpfs'")
    const sysfs = await refused("-v", "/sys/fs:/to:ro,map=5")
    expect(sysfs).toContain(
      'Cannot map the ids of "/sys/fs" for the mount at "/to": the file system there, sysfs, cannot do so',
    )
    expect(sysfs).toContain("--user UID:GID")
    const below = join(home, "deep/er")
    mount("/sys/fs", below, { flags: MS.BIND })
    try {
      expect(await refused("-v", `${home}:/to:map=${UID}`)).toContain(
        `"${below}" below it is a mount of its own, and the file system there, sysfs, cannot do so`,
      )
      const shallow = `type=bind,src=${home},dst=/to,bind-recursive=disabled,map=${UID}:${GID}`
      expect(await run(["-u", "33", "--mount", shallow], "cat /to/mine; ls /to/deep/er")).toMatchObject({
        status: 0,
        stdout: "mine\nin\n",
      })
    } finally {
      unmount(below)
    }
  })

  test("is given back by an engine that was killed while it started the container", async () => {
    await engine.kill()
    await engine.start({ DHOW_CRASH_AT: "container.map:after-attach" })
    const starting = client.run(["run", "-d", "--name", "crashed", "-v", `${home}:/to:map=${UID}:${GID}`, "bb", "true"])
    await engine.ended()
    await starting
    await startAgain()
    expect((await client.run(["start", "crashed"])).status).toBe(0)
    await client.ok("rm", "-f", "crashed")
    expect(mountsBelow(join(engine.execRoot, "containers"))).toEqual([])
    expect(readdirSync(home)).toContain("mine")
  })
})

describe("why", () => {
  test("tells who a user is on the disk, of a mount, of a file in it, and of who is not mapped", async () => {
    const why = async (flags: readonly string[], script: string) => {
      await client.run(["run", "--name", "asked", ...flags, "bb", "sh", "-c", script])
      const found = await engine.must<{ Findings: { Code: string; What: string; Evidence: string[] }[] }>(
        ...(["GET", "/dhow/containers/asked/why"] as const),
      )
      await client.ok("rm", "-f", "asked")
      return found.Findings[0]
    }
    const map = `${UID + 1}:${GID}`
    const mount = await why(["-u", "33", "-v", `${home}:/to:map=${map}`], "echo x > /to/denied")
    expect(mount).toMatchObject({ Code: "mount-permission", What: expect.stringContaining('may not read "/to"') })
    expect(mount?.Evidence[2]).toBe(
      `The map of "/to" (${map}): container uid 33 → host uid ${UID + 1}, container gid 0 → host gid ${GID}`,
    )
    expect(mount?.Evidence[3]).toBe(`The directory "${home}" belongs to uid ${UID}, gid ${GID}, mode 700`)
    const file = await why(["-u", "33", "-v", `${home}:/to:map=${UID}:${GID}`], "echo x > /to/roots")
    expect(file?.What).toStartWith('Its user may not write to "/to/roots"')
    const nobody = await why(["-v", `${home}:/to:map=${UID}:${GID}`], "chown 33 /to/mine")
    expect(nobody?.Code).toBe("mount-unmapped")
    const memory = await why(["-u", "33", "--tmpfs", "/fast:mode=755"], "echo x > /fast/x")
    expect(memory?.What).toContain("its tmpfs belongs to another user")
    await client.ok(
      "run",
      "-d",
      "--name",
      "runs",
      "-u",
      "33",
      "-v",
      `${home}:/to`,
      "bb",
      "sh",
      "-c",
      "cat /to/mine; sleep 600",
    )
    for (let tries = 0; !(await client.run(["logs", "runs"])).stderr.includes("denied") && tries < 200; tries++)
      await Bun.sleep(20)
    expect(await client.ok("why", "runs")).toContain(
      `The directory "${home}" belongs to uid ${UID}, gid ${GID}, mode 700`,
    )
    await client.ok("rm", "-f", "runs")
  })
})

describe("the user host", () => {
  test("is the caller with their groups, in a run and in an exec", async () => {
    const created = await asUser("POST", "/containers/create?name=host", {
      Image: "bb",
      User: "host",
      Cmd: ["sleep", "600"],
      HostConfig: { Binds: [`${home}:/to`], GroupAdd: ["70"] },
    })
    expect(created).toMatchObject({ status: 201 })
    await client.ok("start", "host")
    const id = (...flags: string[]) =>
      client.ok("exec", ...flags, "host", "sh", "-c", "id -u; id -g; id -G; cat /to/mine")
    expect((await id()).split("\n")).toEqual(["1000", "1001", "1001 50 60 70", "mine"])
    const exec = await asUser("POST", "/containers/host/exec", { User: "host", Cmd: ["id", "-G"], AttachStdout: true })
    expect(exec).toMatchObject({ status: 201 })
    // This process is root.
    expect((await id("-u", "host")).split("\n").slice(0, 2)).toEqual(["0", "0"])
    await client.ok("rm", "-f", "host")
  })
})

describe.skipIf(dockerProgram === undefined)("docker's client", () => {
  test("passes maps and the user host on", async () => {
    const words = ["run", "--rm", "-u", "33", "-v", `${home}:/to:map=1000`, "bb", "sh", "-c", "cat /to/mine"]
    expect(await docker(engine).run(words)).toMatchObject({ status: 0, stdout: "mine\n" })
    expect((await docker(engine).run(["run", "--rm", "--user", "host", "bb", "id", "-u"])).stdout).toBe("0\n")
  })
})

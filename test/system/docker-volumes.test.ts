// Mounts through the real client: named and anonymous volumes, binds, tmpfs.
import { afterEach, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker's mounts", () => {
  const engine = testEngine()
  const client = docker(engine)
  const run = (flags: readonly string[], script: string) =>
    client.run(["run", "--rm", ...flags, "bb", "sh", "-c", script])

  afterEach(async () => {
    const names = await client.ok("volume", "ls", "-q")
    if (names !== "") await client.ok("volume", "rm", "-f", ...names.split("\n"))
  })

  test("a named volume keeps what was written to it", async () => {
    await run(["-v", "data:/data"], "echo kept > /data/file")
    expect((await run(["-v", "data:/data"], "cat /data/file")).stdout).toBe("kept\n")
    expect(await client.ok("volume", "ls", "--format", "{{.Name}} {{.Driver}}")).toBe("data local")
    const [volume] = JSON.parse(await client.ok("volume", "inspect", "data"))
    expect(volume).toMatchObject({ Name: "data", Driver: "local", Scope: "local" })
    expect(readFileSync(join(volume.Mountpoint, "file"), "utf8")).toBe("kept\n")
  })

  test("a new volume gets what the image has there, unless nocopy is said", async () => {
    expect((await run(["-v", "filled:/vol"], "cat /vol/seed")).stdout).toBe("seed\n")
    expect((await run(["-v", "plain:/vol:nocopy"], "ls /vol")).stdout).toBe("")
    expect((await run(["--mount", "type=volume,dst=/vol"], "cat /vol/seed")).stdout).toBe("seed\n")
  })

  test("a volume with content is left as it is", async () => {
    await run(["-v", "own:/elsewhere"], "echo own > /elsewhere/own")
    expect((await run(["-v", "own:/vol"], "ls /vol")).stdout).toBe("own\n")
  })

  test("read-only mounts refuse writes", async () => {
    const host = join(engine.root, "readonly")
    mkdirSync(host)
    const script = "echo x > /to/file"
    for (const flags of [
      ["-v", `${host}:/to:ro`],
      ["-v", "ro:/to:ro"],
      ["--mount", `type=bind,src=${host},dst=/to,readonly`],
    ]) {
      const { status, stderr } = await run(flags, script)
      expect(status).toBe(1)
      expect(stderr).toContain("Read-only file system")
    }
    expect((await run(["-v", `${host}:/to`], script)).status).toBe(0)
    expect(readFileSync(join(host, "file"), "utf8")).toBe("x\n")
  })

  test("the missing source of -v is made, that of --mount is refused", async () => {
    const host = join(engine.root, "made/deep")
    expect((await run(["-v", `${host}:/to`], "echo x > /to/file")).status).toBe(0)
    expect(existsSync(join(host, "file"))).toBe(true)
    const missing = join(engine.root, "missing")
    const { status, stderr } = await run(["--mount", `type=bind,src=${missing},dst=/to`], "true")
    expect(status).toBe(125)
    expect(stderr).toContain(`invalid mount config for type "bind": bind source path does not exist: ${missing}`)
    expect(existsSync(missing)).toBe(false)
  })

  test("a single file can be bound over one of the image", async () => {
    const file = join(engine.root, "passwd")
    writeFileSync(file, "someone:x:77:88::/:/bin/sh\n")
    expect((await run(["-v", `${file}:/etc/passwd`, "-u", "77"], "id -un")).stdout).toBe("someone\n")
  })

  test("a file bound where the image has a directory is refused with one clear line", async () => {
    const file = join(engine.root, "plain")
    writeFileSync(file, "x")
    const { status, stderr } = await run(["-v", `${file}:/vol`], "true")
    expect(status).toBe(125)
    expect(stderr.toLowerCase()).toContain("not a directory")
    expect(stderr.trim().split("\n").filter(Boolean)).toHaveLength(2)
    expect(await client.ok("ps", "-aq")).toBe("")
  })

  test("--volumes-from takes another container's mounts over", async () => {
    await client.ok("create", "--name", "source", "-v", "shared:/a", "-v", "/b", "bb", "true")
    await run(["--volumes-from", "source"], "echo one > /a/x; echo two > /b/x")
    expect((await run(["--volumes-from", "source:ro"], "cat /a/x /b/x; touch /a/y")).stdout).toBe("one\ntwo\n")
    const missing = await run(["--volumes-from", "no-such"], "true")
    expect(missing.status).toBe(125)
    expect(missing.stderr).toContain("No such container: no-such")
    expect(missing.stderr).not.toContain("Unable to find image")
    await client.ok("rm", "-v", "source")
  })

  test("a volume in use is not removed, and the user is told by whom", async () => {
    const id = await client.ok("create", "-v", "used:/x", "bb", "true")
    const { status, stderr } = await client.run(["volume", "rm", "used"])
    expect(status).toBe(1)
    expect(stderr).toContain(`remove used: volume is in use - [${id}]`)
    await client.ok("rm", id)
    expect(await client.ok("volume", "rm", "used")).toBe("used")
    expect((await client.run(["volume", "rm", "used"])).stderr).toContain("get used: no such volume")
  })

  test("volume create, labels, filters and prune", async () => {
    expect(await client.ok("volume", "create", "--label", "a=b", "named")).toBe("named")
    const anonymous = await client.ok("volume", "create")
    expect(anonymous).toMatch(/^[0-9a-f]{64}$/)
    expect(await client.ok("volume", "ls", "-q", "--filter", "label=a=b")).toBe("named")
    expect(await client.ok("volume", "ls", "-q", "--filter", "name=name")).toBe("named")
    expect(await client.ok("volume", "prune", "-f")).toContain(anonymous)
    expect(await client.ok("volume", "ls", "-q")).toBe("named")
    expect(await client.ok("volume", "prune", "-af")).toContain("named")
    const wrong = await client.run(["volume", "create", "a/b"])
    expect(wrong.stderr).toContain("includes invalid characters for a local volume name")
  })

  test("inspect shows the mounts as Docker does", async () => {
    const host = join(engine.root, "shown")
    mkdirSync(host)
    await client.ok("create", "--name", "shown", "-v", "vol1:/v", "-v", `${host}:/h:ro`, "--tmpfs", "/t", "bb", "true")
    const [{ Mounts: mounts, HostConfig: config }] = JSON.parse(await client.ok("inspect", "shown"))
    expect(mounts).toHaveLength(2)
    expect(mounts).toContainEqual(
      expect.objectContaining({
        Type: "volume",
        Name: "vol1",
        Destination: "/v",
        Driver: "local",
        RW: true,
        Mode: "z",
      }),
    )
    expect(mounts).toContainEqual({
      Type: "bind",
      Source: host,
      Destination: "/h",
      Mode: "ro",
      RW: false,
      Propagation: "rprivate",
    })
    expect(config.Tmpfs).toEqual({ "/t": "" })
    expect([...config.Binds].sort()).toEqual([`${host}:/h:ro`, "vol1:/v"])
    await client.ok("rm", "shown")
  })

  test("a create that is refused leaves no volume behind", async () => {
    const before = await client.ok("volume", "ls", "-q")
    for (const args of [
      ["-v", "left:/x", "-v", "right:/x"],
      ["-v", "left:/x", "--mount", "type=bind,source=/does/not/exist,target=/y"],
      ["-v", "left:/x", "--volumes-from", "nobody"],
    ]) {
      const { status, stderr } = await client.run(["create", ...args, "bb", "true"])
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/Duplicate mount point|does not exist|No such container/),
      ])
    }
    expect(await client.ok("volume", "ls", "-q")).toBe(before)
  })
})

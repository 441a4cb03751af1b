// What containers wrote, through the real client: diff, commit and export.
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { dhow, docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const SCRIPT = [
  "mkdir -p /data/deep && echo one > /data/deep/file && ln /data/deep/file /data/hard && ln -s deep/file /data/soft",
  "mkdir -m 1777 /data/sticky && touch -d '2001-02-03 04:05:06' /data/deep/file && chmod 4755 /data/hard",
  "mknod /data/null c 1 3 && mkfifo /data/fifo && chown 12:34 /data/fifo",
  "dd if=/dev/zero of=/data/sparse bs=1 count=1 seek=20000000 2>/dev/null",
  "rm /bin/dd && rm -r /vol && mkdir /vol && echo new > /vol/new",
  "rm /etc/group && mkdir /etc/group && echo x > /etc/group/x",
  "echo more >> /etc/passwd && touch /tmp/came && rm /tmp/came && chmod 0755 /bin/tee /vol",
].join(" && ")
/** Sizes and link counts of directories say nothing; what the engine mounts at its places is each container's own. */
const LIST =
  "cd / && find bin data etc/group etc/passwd tmp vol -exec stat -c '%n %F %f %u %g %h %s %Y %t %T' {} + | " +
  "grep -v ' directory ' | sort; find bin data etc/group tmp vol -type d -exec stat -c '%n %f %u %g %Y' {} + | sort; " +
  "md5sum data/sparse etc/passwd data/hard"
const CHANGES = [
  ...["C /bin", "D /bin/dd"],
  ...["A /data", "A /data/deep", "A /data/deep/file", "A /data/fifo", "A /data/hard", "A /data/null", "A /data/soft"],
  ...["A /data/sparse", "A /data/sticky"],
  ...["C /etc", "C /etc/group", "A /etc/group/x", "C /etc/passwd", "C /vol", "A /vol/new", "D /vol/seed"],
]

describe.skipIf(dockerProgram === undefined)("docker's diff, commit and export", () => {
  const engine = testEngine()
  const client = docker(engine)
  const own = dhow(engine)
  let before = ""

  test("what a container changed is listed as Docker does, and its mount points are not", async () => {
    before = await client.ok("run", "--name", "worker", "bb", "sh", "-c", `${SCRIPT} && ${LIST}`)
    expect((await client.ok("diff", "worker")).split("\n")).toEqual(CHANGES)
    expect(await own.ok("diff", "worker")).toBe(CHANGES.join("\n"))
    await client.ok("create", "--name", "idle", "bb", "true")
    expect(await client.ok("diff", "idle")).toBe("")
  })

  test("an image made of the container shows the same tree", async () => {
    const id = await client.ok("commit", "-a", "me", "-m", "said", "-c", "ENV A=b", "worker", "made:one")
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await client.ok("run", "--rm", "made:one", "sh", "-c", LIST)).toBe(before)
    expect(await client.ok("history", "--format", "{{.Comment}}", "made:one")).toBe("said\nImported from -")
    const inspected = await client.ok("inspect", "-f", "{{.Author}} {{.Comment}} {{json .Config.Env}}", "made:one")
    expect(inspected).toBe('me said ["A=b"]')
  })

  test("export is the whole file system, from a running container too", async () => {
    const file = join(engine.root, "exported.tar")
    await client.ok("export", "-o", file, "worker")
    const names = Bun.spawnSync(["tar", "-tf", file]).stdout.toString().trim().split("\n")
    expect(names).toContain("data/deep/file")
    expect(names).toContain("bin/busybox")
    expect(names).not.toContain("bin/dd")
    expect(names).not.toContain("vol/seed")
    await client.ok("run", "-d", "--name", "runs", "bb", "sh", "-c", "echo yes > /answer; sleep 100")
    expect(await own.ok("exec", "runs", "sh", "-c", "while ! [ -s /answer ]; do usleep 1000; done; cat /answer")).toBe(
      "yes",
    )
    await own.ok("export", "-o", file, "runs")
    expect(Bun.spawnSync(["tar", "-xOf", file, "answer"]).stdout.toString()).toBe("yes\n")
    await client.ok("rm", "-f", "runs")
  })

  test("a running container is paused meanwhile, unless that is not wanted", async () => {
    await client.ok("run", "-d", "--name", "busy", "bb", "sh", "-c", "while :; do echo x >> /log; usleep 10000; done")
    const since = String(Date.now() / 1000)
    await client.ok("commit", "busy", "made:paused")
    await client.ok("commit", "--pause=false", "busy", "made:running")
    const events = await client.ok(
      ...["events", "--since", since, "--until", String(Date.now() / 1000), "--filter", "container=busy"],
      ...["--format", "{{.Action}} {{.Actor.Attributes.imageRef}}"],
    )
    expect(events.split("\n")).toEqual([
      "pause <no value>",
      "commit made:paused",
      "unpause <no value>",
      "commit made:running",
    ])
    expect(await client.ok("inspect", "-f", "{{.State.Status}}", "busy")).toBe("running")
    await client.ok("pause", "busy")
    await client.ok("commit", "busy", "made:paused")
    expect(await client.ok("inspect", "-f", "{{.State.Status}}", "busy")).toBe("paused")
    await client.ok("rm", "-f", "busy")
  })

  test("an engine that dies meanwhile lets the container go on when it is back", async () => {
    await client.ok("run", "-d", "--name", "frozen", "bb", "sleep", "100")
    await engine.kill()
    await engine.start({ DHOW_CRASH_AT: "container.commit:paused" })
    await client.run(["commit", "frozen", "made:never"])
    await engine.ended()
    await engine.start()
    expect(await client.ok("inspect", "-f", "{{.State.Status}}", "frozen")).toBe("running")
    expect(await client.ok("exec", "frozen", "echo", "alive")).toBe("alive")
    expect(await client.ok("images", "-q", "made:never")).toBe("")
    await client.ok("rm", "-f", "frozen")
  })

  test("changes apply as Docker applies them, and what is wrong is refused before anything is made", async () => {
    await client.ok("create", "--name", "plain", "-e", "PATH=/bin", "-l", "a=1", "bb", "sh", "-c", "echo hello")
    const changes = ["ENV PATH=/opt:$PATH", "LABEL b=2", "EXPOSE 80", "WORKDIR /tmp", 'ENTRYPOINT ["/bin/echo"]']
    await client.ok("commit", ...changes.flatMap((line) => ["-c", line]), "plain", "made:changed")
    const config = JSON.parse(await client.ok("inspect", "-f", "{{json .Config}}", "made:changed"))
    expect(config).toMatchObject({
      Entrypoint: ["/bin/echo"],
      Env: ["PATH=/opt:/bin"],
      ExposedPorts: { "80/tcp": {} },
      Labels: { a: "1", b: "2" },
      WorkingDir: "/tmp",
    })
    expect(config.Cmd ?? null).toBeNull()
    expect(await client.ok("run", "--rm", "made:changed", "said")).toBe("said")
    // Nothing was written: a step of the history, and no layer.
    expect(await client.ok("inspect", "-f", "{{len .RootFS.Layers}}", "made:changed")).toBe("1")
    const refusals: readonly (readonly [readonly string[], string])[] = [
      [["-c", "RUN true", "plain"], "RUN is not a valid change command"],
      [["nobody"], "No such container: nobody"],
      [["plain", "UPPER"], "must be lowercase"],
      [["plain", `a@sha256:${"0".repeat(64)}`], "refusing to create a tag with a digest reference"],
    ]
    for (const [args, reason] of refusals) {
      const { status, stderr } = await client.run(["commit", ...args])
      expect(stderr).toContain(reason)
      expect(status).toBe(1)
      expect((await own.run(["commit", ...args])).stderr).toContain(reason)
    }
    expect((await own.run(["diff", "nobody"])).stderr).toContain("No such container: nobody")
  })

  test("the API takes a configuration in the body", async () => {
    const { Id } = await engine.must<{ Id: string }>("POST", "/commit?container=plain&comment=c&author=a", {
      Cmd: ["echo", "from the body"],
      Env: ["X=1"],
    })
    expect(await client.ok("run", "--rm", Id)).toBe("from the body")
    const { Config, Author, Comment } = await engine.must<Record<string, unknown>>("GET", `/images/${Id}/json`)
    expect({ Config, Author, Comment }).toMatchObject({
      Author: "a",
      Comment: "c",
      Config: { Cmd: ["echo", "from the body"], Env: ["X=1", "PATH=/bin"] },
    })
    expect((await engine.call("GET", "/containers/plain/changes")).text.trim()).toBe("null")
    expect((await engine.call("GET", "/containers/nobody/changes")).status).toBe(404)
    expect((await engine.call("GET", "/containers/nobody/export")).status).toBe(404)
    expect((await engine.call("POST", "/commit?container=nobody")).status).toBe(404)
  })
})

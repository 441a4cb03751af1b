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
})

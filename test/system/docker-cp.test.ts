// docker cp in both directions, of containers that run and that do not, with volumes, links and hostile paths.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { writeTar } from "../../src/lib/tar/writer.ts"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker cp", () => {
  const engine = testEngine()
  const client = docker(engine)
  let here = ""

  beforeEach(async () => {
    here = mkdtempSync(join(tmpdir(), "dhow-cp-"))
    await client.ok("create", "--name", "still", "-v", "vol:/vol", "-v", "ro:/ro:ro", "bb", "sleep", "600")
    await client.ok("run", "-d", "--name", "runs", "-v", "vol:/vol", "-v", "ro:/ro:ro", "bb", "sleep", "600")
  })
  afterEach(async () => {
    await client.ok("rm", "-fv", "still", "runs")
    await client.ok("volume", "rm", "vol", "ro")
    rmSync(here, { recursive: true, force: true })
  })

  for (const name of ["still", "runs"]) {
    test(`a file goes in and comes out with mode and time: ${name}`, async () => {
      const file = join(here, "file")
      writeFileSync(file, "content\n")
      chmodSync(file, 0o4751)
      utimesSync(file, 1_000_000_000, 1_234_567_890)
      await client.ok("cp", file, `${name}:/etc/file`)
      await client.ok("cp", file, `${name}:/etc`)
      await client.ok("cp", `${name}:/etc/file`, join(here, "back"))
      expect(readFileSync(join(here, "back"), "utf8")).toBe("content\n")
      const stat = statSync(join(here, "back"))
      expect([stat.mode & 0o7777, stat.mtimeMs]).toEqual([0o4751, 1_234_567_890_000])
    })

    test(`a directory goes in by Docker's rules, and merges: ${name}`, async () => {
      mkdirSync(join(here, "tree/deep"), { recursive: true })
      writeFileSync(join(here, "tree/deep/a"), "a")
      symlinkSync("/etc/passwd", join(here, "tree/link"))
      // There: into it. Not there: as it. With "/.": its content.
      await client.ok("cp", join(here, "tree"), `${name}:/etc`)
      await client.ok("cp", join(here, "tree"), `${name}:/new`)
      await client.ok("cp", `${join(here, "tree")}/.`, `${name}:/vol`)
      mkdirSync(join(here, "out"))
      for (const [from, to] of [
        ["/etc/tree", "1"],
        ["/new", "2"],
        ["/vol/.", "3"],
      ] as const) {
        await client.ok("cp", `${name}:${from}`, join(here, "out", to))
        expect(readFileSync(join(here, "out", to, "deep/a"), "utf8")).toBe("a")
        expect(readlinkSync(join(here, "out", to, "link"))).toBe("/etc/passwd")
      }
    })

    test(`what is not there, no directory, or read-only is refused in Docker's words: ${name}`, async () => {
      const file = join(here, "file")
      writeFileSync(file, "x")
      const refused = async (...args: string[]) => (await client.run(["cp", ...args])).stderr
      expect(await refused(`${name}:/none`, here)).toContain(`Could not find the file /none in container ${name}`)
      expect(await refused(file, `${name}:/none/none`)).toContain(`Could not find the file /none in container ${name}`)
      expect(await refused(file, `${name}:/ro/file`)).toContain("mounted volume is marked read-only")
      const query = `/containers/${name}/archive?path=/etc/passwd`
      const answer = await engine.call("PUT", query, new Uint8Array(1024))
      expect([answer.status, answer.json]).toEqual([400, { message: "extraction point is not a directory" }])
    })

    test(`links of the container lead nowhere but into the container: ${name}`, async () => {
      const secret = join(here, "secret")
      mkdirSync(secret)
      writeFileSync(join(secret, "key"), "of the host")
      symlinkSync(secret, join(here, "trap"))
      await client.ok("cp", join(here, "trap"), `${name}:/trap`)
      const out = await client.run(["cp", `${name}:/trap/key`, join(here, "stolen")])
      expect(out.status).toBe(1)
      expect(existsSync(join(here, "stolen"))).toBe(false)
      // Its path is made inside of the container instead.
      const parts: Uint8Array[] = []
      for await (const chunk of writeTar([
        { path: "up", type: "symlink", linkPath: secret },
        { path: "up/key", type: "file", content: Buffer.from("overwritten") },
        { path: "../../../../../escaped", type: "file", content: Buffer.from("x") },
      ]))
        parts.push(chunk)
      await engine.call("PUT", `/containers/${name}/archive?path=/`, new Uint8Array(Buffer.concat(parts)))
      expect(readFileSync(join(secret, "key"), "utf8")).toBe("of the host")
      expect(existsSync("/escaped")).toBe(false)
    })
  }

  test("a running container sees at once what was copied, and its own files come out", async () => {
    writeFileSync(join(here, "file"), "hello")
    await client.ok("cp", join(here, "file"), "runs:/greeting")
    expect(await client.ok("exec", "runs", "cat", "/greeting")).toBe("hello")
    await client.ok("exec", "runs", "sh", "-c", "echo mine >/own; ln -s own /link")
    await client.ok("cp", "runs:/own", join(here, "own"))
    expect(readFileSync(join(here, "own"), "utf8")).toBe("mine\n")
    await client.ok("cp", "runs:/link", join(here, "link"))
    expect(lstatSync(join(here, "link")).isSymbolicLink()).toBe(true)
    await client.ok("cp", "-L", "runs:/link", join(here, "followed"))
    expect(readFileSync(join(here, "followed"), "utf8")).toBe("mine\n")
  })

  test("-a gives what is copied to the container's user", async () => {
    await client.ok("run", "-d", "--name", "user", "-u", "1234:5678", "bb", "sleep", "600")
    writeFileSync(join(here, "file"), "x")
    await client.ok("cp", "-a", join(here, "file"), "user:/tmp/file")
    expect(await client.ok("exec", "user", "stat", "-c", "%u:%g", "/tmp/file")).toBe("1234:5678")
    await client.ok("rm", "-f", "user")
  })

  test("archives come and go on standard streams", async () => {
    const tar = await client.run(["cp", "still:/etc/passwd", "-"])
    expect(tar.stdout.startsWith("passwd\0")).toBe(true)
    const parts: Uint8Array[] = []
    for await (const chunk of writeTar([{ path: "x/y", type: "file", content: Buffer.from("y") }])) parts.push(chunk)
    const into = await client.run(["cp", "-", "still:/vol"], { stdin: Buffer.concat(parts) })
    expect(into).toEqual({ status: 0, stdout: "", stderr: "" })
    expect((await client.run(["cp", "still:/vol/x/y", "-"])).stdout).toContain("\0y\0")
  })

  test("a whole root comes out without /proc and /sys, whose files have no end", async () => {
    await client.ok("cp", "runs:/", join(here, "root"))
    expect(existsSync(join(here, "root/bin/busybox"))).toBe(true)
    expect(existsSync(join(here, "root/proc/1"))).toBe(false)
    expect(readFileSync(join(here, "root/etc/hosts"), "utf8")).toContain("localhost")
  })

  test("an archive that breaks off is an error, and the container is not kept busy", async () => {
    const answer = await engine.call("PUT", "/containers/still/archive?path=/etc", new Uint8Array(Buffer.alloc(700, 1)))
    expect(answer.status).toBeGreaterThanOrEqual(400)
    await client.ok("start", "still")
  })
})

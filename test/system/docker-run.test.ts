// docker run with the real client: streams, exit statuses, and what a failed run says and leaves.
import { describe, expect, test } from "bun:test"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker run", () => {
  const engine = testEngine()
  const client = docker(engine)
  const sh = (script: string, ...flags: string[]) => client.run(["run", "--rm", ...flags, "bb", "sh", "-c", script])

  test("shows standard output and standard error apart", async () => {
    expect(await sh("echo out; echo err >&2")).toEqual({ status: 0, stdout: "out\n", stderr: "err\n" })
  })

  test.each([0, 1, 42, 255])("gives the exit status of the program: %d", async (status) => {
    expect((await sh(`exit ${status}`)).status).toBe(status)
  })

  test("gives 128+n when a signal ends the program", async () => {
    expect((await sh("kill -TERM $$", "--init")).status).toBe(143)
    expect((await sh("kill -SEGV $$", "--init")).status).toBe(139)
  })

  test("gives 137 when the container is killed from outside, and the container is gone", async () => {
    const run = client.spawn(["run", "--rm", "--name", "victim", "bb", "sh", "-c", "echo up; sleep 60"])
    await run.stdout.contains("up\n")
    await client.ok("kill", "victim")
    expect(await run.ended()).toBe(137)
    await client.ok("ps") // The answer to wait comes before the removal has ended.
    expect(await client.ok("ps", "-aq", "--filter", "name=victim")).toBe("")
  })

  test("passes signals of the client on to the program", async () => {
    const script = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    const run = client.spawn(["run", "--rm", "bb", "sh", "-c", script])
    await run.stdout.contains("ready\n")
    run.kill("SIGTERM")
    expect(await run.ended()).toBe(9)
    expect(run.stdout.text).toBe("ready\ngot it\n")
  })

  test("-i passes standard input with its end, and no byte is changed", async () => {
    const bytes = new Uint8Array(300_000).map((_, index) => (index * 7) % 251)
    const sum = new Bun.CryptoHasher("md5").update(bytes).digest("hex")
    const run = await client.run(["run", "--rm", "-i", "bb", "md5sum"], { stdin: bytes })
    expect(run).toEqual({ status: 0, stdout: `${sum}  -\n`, stderr: "" })
  })

  test("-i with a program that does not read ends all the same", async () => {
    expect((await client.run(["run", "--rm", "-i", "bb", "true"], { stdin: "ignored" })).status).toBe(0)
  })

  test("standard output stays open after the end of standard input", async () => {
    const run = client.spawn(["run", "--rm", "-i", "bb", "sh", "-c", "cat; echo late; exit 5"])
    run.write("one\n")
    await run.stdout.contains("one\n")
    await run.end()
    expect(await run.ended()).toBe(5)
    expect(run.stdout.text).toBe("one\nlate\n")
  })

  test("shows 100 MB whole", async () => {
    const run = await client.run(["run", "--rm", "bb", "sh", "-c", "yes 0123456789abcde | head -c 104857600"], {
      patience: 50_000,
    })
    expect(run.status).toBe(0)
    expect(run.stdout.length).toBe(104_857_600)
  }, 60_000)

  test("-d prints the id and leaves the container running", async () => {
    const id = await client.ok("run", "-d", "--name", "back", "bb", "sleep", "60")
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(await client.ok("inspect", "-f", "{{.Id}} {{.State.Running}}", "back")).toBe(`${id} true`)
    expect(await client.ok("rm", "-f", "back")).toBe("back")
  })

  test("a missing program gives 127, and --rm leaves nothing", async () => {
    const run = await client.run(["run", "--rm", "bb", "no-such-program"])
    expect(run.status).toBe(127)
    expect(run.stderr).toContain('exec: "no-such-program": executable file not found in $PATH')
    const kept = await client.run(["run", "--name", "kept", "bb", "no-such-program"])
    expect(kept.stderr).toBe(run.stderr)
    expect(await client.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "kept")).toBe("created 127")
    await client.ok("rm", "kept")
    const absolute = await client.run(["run", "--rm", "bb", "/no/such"])
    expect(absolute.status).toBe(127)
    expect(absolute.stderr).toContain('exec: "/no/such": stat /no/such: no such file or directory')
    expect(await client.ok("ps", "-aq")).toBe("")
  })

  test("a program that cannot be executed gives 126", async () => {
    const run = await client.run(["run", "--rm", "bb", "/etc/passwd"])
    expect(run.status).toBe(126)
    expect(run.stderr).toContain('exec: "/etc/passwd": permission denied')
    expect((await client.run(["run", "--rm", "bb", "/etc"])).status).toBe(126)
  })

  test("what the engine refuses gives 125 and one clear line", async () => {
    for (const [flags, text] of [
      [["-u", "nobody-here"], "unable to find user nobody-here: no matching entries in passwd file"],
      [["--network", "no-such-net"], "network no-such-net not found"],
      [["--mount", "type=bind,src=/no/such/source,dst=/x"], "bind source path does not exist: /no/such/source"],
      [["--runtime", "no-such-runtime"], "unknown or invalid runtime name: no-such-runtime"],
      [["--name", "a/b"], "Invalid container name (a/b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"],
      [["--cap-add", "NO_SUCH"], 'invalid CapAdd: unknown capability: "CAP_NO_SUCH"'],
      [["--network", "container:no-such"], "No such container: no-such"],
      [["--memory", "1k"], "Minimum memory limit allowed is 6MB"],
      [["-w", "relative"], "the working directory 'relative' is invalid, it needs to be an absolute path"],
    ] as const) {
      const run = await client.run(["run", "--rm", ...flags, "bb", "true"])
      expect(`${flags.join(" ")}: ${run.status}`).toBe(`${flags.join(" ")}: 125`)
      expect(run.stderr).toContain(text)
    }
    expect(await client.ok("ps", "-aq")).toBe("")
  })

  test("an image that is not there says so", async () => {
    const run = await client.run(["run", "--rm", "--pull", "never", "no-such-image", "true"])
    expect(run.status).toBe(125)
    expect(run.stderr).toContain("No such image: no-such-image:latest")
  })

  test("a name that is taken is refused with the id of its holder", async () => {
    const id = await client.ok("create", "--name", "taken", "bb", "true")
    const run = await client.run(["run", "--name", "taken", "bb", "true"])
    expect(run.status).toBe(125)
    expect(run.stderr).toContain(
      `Conflict. The container name "/taken" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    )
    await client.ok("rm", "taken")
  })

  test("create and start -a show the output and give the status", async () => {
    await client.ok("create", "-i", "--name", "later", "bb", "sh", "-c", "cat; exit 3")
    const start = await client.run(["start", "-ai", "later"], { stdin: "typed\n" })
    expect(start).toEqual({ status: 3, stdout: "typed\n", stderr: "" })
    await client.ok("rm", "later")
  })

  test("attach joins a running container, and its status is the program's", async () => {
    await client.ok("run", "-di", "--name", "joined", "bb", "sh", "-c", "read line; echo read $line; exit 4")
    const attach = client.spawn(["attach", "joined"])
    attach.write("word\n")
    expect(await attach.ended()).toBe(4)
    expect(attach.stdout.text).toBe("read word\n")
    const again = await client.run(["attach", "joined"])
    expect(again.status).toBe(1)
    expect(again.stderr).toContain("cannot attach to a stopped container, start it first")
    await client.ok("rm", "joined")
  })

  test("-e and --env-file reach the program, and the client's own values where no value is given", async () => {
    const file = `${engine.root}/env`
    await Bun.write(file, "# comment\nFROM_FILE=a b\nFROM_CLIENT\n")
    const run = await client.run(
      [
        "run",
        "--rm",
        "-e",
        "ONE=1",
        "-e",
        "TWO",
        "--env-file",
        file,
        "bb",
        "sh",
        "-c",
        "echo $ONE-$TWO-$FROM_FILE-$FROM_CLIENT",
      ],
      { env: { TWO: "2", FROM_CLIENT: "c" } },
    )
    expect(run.stdout).toBe("1-2-a b-c\n")
  })

  test("--cidfile, --label and --entrypoint do what they say", async () => {
    const file = `${engine.root}/cid`
    const id = await client.ok("run", "-d", "--cidfile", file, "--label", "a=b", "--entrypoint", "sleep", "bb", "60")
    expect(await Bun.file(file).text()).toBe(id)
    expect(await client.ok("ps", "-q", "--no-trunc", "--filter", "label=a=b")).toBe(id)
    expect(await client.ok("inspect", "-f", "{{.Path}} {{.Args}}", id)).toBe("sleep [60]")
    await client.ok("rm", "-f", id)
  })
})

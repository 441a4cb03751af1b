// docker exec with the real client.
import { beforeAll, describe, expect, test } from "bun:test"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker exec", () => {
  const client = docker(testEngine())
  const exec = (...args: string[]) => client.run(["exec", ...args])

  beforeAll(async () => {
    await client.ok("run", "-d", "--name", "main", "-e", "FROM_RUN=run", "-w", "/tmp", "bb", "sleep", "600")
  })

  test("keeps the streams apart and gives the status", async () => {
    expect(await exec("main", "sh", "-c", "echo out; echo err >&2; exit 7")).toEqual({
      status: 7,
      stdout: "out\n",
      stderr: "err\n",
    })
  })

  test("-i passes standard input with its end", async () => {
    const bytes = new Uint8Array(500_000).fill(88)
    const run = await client.run(["exec", "-i", "main", "wc", "-c"], { stdin: bytes })
    expect(run).toEqual({ status: 0, stdout: "500000\n", stderr: "" })
  })

  test("-e, -w and -u are set; the rest is the container's", async () => {
    const run = await exec("-e", "X=1", "-u", "12:34", "main", "sh", "-c", "echo $X $FROM_RUN $(pwd) $(id -u):$(id -g)")
    expect(run.stdout).toBe("1 run /tmp 12:34\n")
    expect((await exec("-w", "/etc", "main", "pwd")).stdout).toBe("/etc\n")
  })

  test("a missing program gives 127 with Docker's words", async () => {
    const run = await exec("main", "no-such-program")
    expect(run.status).toBe(127)
    expect(run.stdout + run.stderr).toContain(
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "no-such-program": executable file not found in $PATH',
    )
    expect((run.stdout + run.stderr).match(/not found/g)).toHaveLength(1)
    expect((await exec("main", "/etc/passwd")).status).toBe(126)
    const onTerminal = await exec("-t", "main", "no-such-program")
    expect(onTerminal.status).toBe(127)
    expect(onTerminal.stdout).toContain('exec: "no-such-program": executable file not found in $PATH')
  })

  test("a missing directory gives 126 or 127 and names it", async () => {
    const run = await exec("-w", "/no/such", "main", "pwd")
    expect([126, 127]).toContain(run.status)
    expect(run.stdout + run.stderr).toContain("/no/such")
  })

  test("an unknown user is named", async () => {
    const run = await exec("-u", "nobody-here", "main", "true")
    expect(run.status).toBe(1)
    expect(run.stderr).toContain("unable to find user nobody-here: no matching entries in passwd file")
  })

  test("128+n when a signal ends the program", async () => {
    expect((await exec("main", "sh", "-c", "kill -KILL $$")).status).toBe(137)
    expect((await exec("main", "sh", "-c", "kill -TERM $$")).status).toBe(143)
  })

  test("-d returns at once; the process goes on", async () => {
    expect(await exec("-d", "main", "sh", "-c", "echo done > /tmp/mark")).toEqual({ status: 0, stdout: "", stderr: "" })
    await client.ok("exec", "main", "sh", "-c", "until grep -q done /tmp/mark; do usleep 10000; done")
  })

  test("--privileged has every capability of the engine", async () => {
    const plain = await client.ok("exec", "main", "sh", "-c", "grep CapEff /proc/self/status")
    const all = await client.ok("exec", "--privileged", "main", "sh", "-c", "grep CapEff /proc/self/status")
    expect(plain).toContain("00000000a80425fb")
    expect(BigInt(`0x${all.split("\t")[1]}`)).toBeGreaterThan(0xa80425fbn)
  })

  test("a container that does not run is refused", async () => {
    const id = await client.ok("create", "--name", "idle", "bb", "true")
    const run = await exec("idle", "true")
    expect(run.status).toBe(1)
    expect(run.stderr).toBe(`Error response from daemon: container ${id} is not running\n`)
    expect((await exec("no-such", "true")).stderr).toBe("Error response from daemon: No such container: no-such\n")
    await client.ok("rm", "idle")
  })

  test("a paused container is refused", async () => {
    await client.ok("pause", "main")
    const run = await exec("main", "true")
    await client.ok("unpause", "main")
    expect(run.status).toBe(1)
    expect(run.stderr).toContain("is paused, unpause the container before exec")
  })

  test("twenty at a time each get their own output", async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => index)
    const runs = await Promise.all(numbers.map((number) => client.ok("exec", "main", "echo", String(number))))
    expect(runs).toEqual(numbers.map(String))
  })
})

// What HTCondor's docker universe runs, command by command and with its own way of reading the answers: through docker's
// client and through dhow's, and over HTTP/1.0 as its starter asks the engine itself.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type CommandLine, dhow, docker, dockerProgram } from "../support/docker.ts"
import { busyboxTar } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()
let sandbox: string

beforeAll(() => {
  sandbox = mkdtempSync(join(tmpdir(), "dhow-job-"))
  chmodSync(sandbox, 0o777)
})
afterAll(() => rmSync(sandbox, { recursive: true, force: true }))

/** Everything until the engine closes, as the starter reads it: no Host, no version, nothing but a line. */
async function raw(line: string): Promise<string> {
  const socket = connect({ path: engine.socket })
  socket.write(`${line} HTTP/1.0\r\n\r\n`)
  let text = ""
  for await (const chunk of socket) text += String(chunk)
  return text
}

const INSPECT = [
  ...['ContainerId="{{.Id}}"', "Pid={{.State.Pid}}", 'Name="{{.Name}}"', "Running={{.State.Running}}"],
  ...["ExitCode={{.State.ExitCode}}", 'StartedAt="{{.State.StartedAt}}"', 'FinishedAt="{{.State.FinishedAt}}"'],
  ...["DockerError={{json .State.Error}}", 'OOMKilled="{{.State.OOMKilled}}"'],
].join("\n")

const CLIENTS: readonly (readonly [string, () => CommandLine])[] = [
  ...(dockerProgram === undefined ? [] : [["docker", () => docker(engine)] as const]),
  ["dhow", () => dhow(engine)],
]

describe.each(CLIENTS)("a batch system with %s", (kind, clientOf) => {
  const client = clientOf()
  const job = `HTCJob1_0_${kind}`
  const ok = (...args: readonly string[]): Promise<string> => client.ok(...args)
  const create = (name: string, flags: readonly string[], ...command: readonly string[]): Promise<string> =>
    ok(
      ...["create", "--cpu-shares=100", "--memory=64m", "--cap-drop=all", "--cap-add=SYS_PTRACE"],
      ...["--security-opt", "no-new-privileges", "--init", "--name", name, "--label=org.htcondorproject=True"],
      ...[
        "--log-driver",
        "none",
        "-e",
        "_CONDOR_SLOT=slot1",
        "-e",
        "WITH_SPACE=a b",
        "--volume",
        `${sandbox}:/scratch`,
      ],
      ...["--volume", `${sandbox}:/ro:ro`, "--workdir", "/scratch", "--user", "1234:1234", "--group-add", "4321"],
      ...["--hostname", "user-job", "--shm-size", "1048576", ...flags, "bb", ...command],
    )
  /** As its parser does: a line each, with "=" in it. */
  async function inspect(name: string): Promise<Record<string, string>> {
    const lines = (await ok("inspect", "--format", INSPECT, name)).split("\n")
    expect(lines).toHaveLength(9)
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    )
  }

  test("asks for the version in one line, and whether the engine is there", async () => {
    const version = await ok("-v")
    expect(version.split("\n")).toHaveLength(1)
    expect(version).toMatch(/^\S+ version \d+\.\d+\S*, build \S+$/)
    expect(version.length).toBeGreaterThan("Docker version ".length)
    expect(await ok("info")).toContain("Server Version:")
  })

  test("runs a test image from an archive", async () => {
    const archive = join(sandbox, "test-image.tar")
    const name = `htcondor.org/exit_37_${kind}:1`
    writeFileSync(join(sandbox, "tree.tar"), busyboxTar())
    await ok("import", join(sandbox, "tree.tar"), name)
    await ok("save", "-o", archive, name)
    await ok("rmi", name)
    expect(await ok("load", "-i", archive)).toContain("Loaded image")
    expect((await client.run(["run", "--rm=true", name, "/bin/sh", "-c", "exit 37"])).status).toBe(37)
    expect(await ok("rmi", name)).not.toBe("")
    expect(await ok("images", "-q", name)).toBe("")
  })

  test("keeps its images by name, size and time of tagging", async () => {
    const name = `htcondor.org/alice_${kind}/bb`
    await ok("tag", "bb", name)
    const lines = (await ok("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}")).split("\n")
    const line = lines.find((candidate) => candidate.startsWith(`${name}:latest `)) ?? ""
    const [, id = "", size = ""] = line.split(" ")
    expect(id).toMatch(/^[0-9a-f]{12}$/)
    expect(size).toMatch(/^\d+(\.\d+)?[kMG]?B$/)
    const tagged = await ok("inspect", "--format", "{{.Id}} {{.Metadata.LastTagTime}}", id, id)
    expect(tagged.split("\n")).toHaveLength(2)
    expect(tagged).toMatch(new RegExp(`^sha256:${id}[0-9a-f]{52} \\d{4}-`))
    expect(await ok("inspect", "--format", "{{.Architecture}}", name)).toMatch(/^(amd64|arm64|\w+)$/)
    // A format with a newline in it prints one.
    expect(await ok("images", "--format", "{{.Repository}}\n{{.Tag}}", name)).toBe(`${name}\nlatest`)
    await ok("rmi", name)
  })

  test("runs a job: streams, status, what it may do, and where it is", async () => {
    const script =
      "echo out; echo err >&2; id -u; id -G; pwd; hostname; echo $WITH_SPACE; grep NoNewPrivs /proc/1/status; echo x > result; exit 6"
    expect(await create(job, ["--network=none"], "/bin/sh", "-c", script)).toMatch(/^[0-9a-f]{64}$/)
    const run = await client.run(["start", "-a", job])
    expect(run).toEqual({
      status: 6,
      stdout: "out\n1234\n1234 4321\n/scratch\nuser-job\na b\nNoNewPrivs:\t1\n",
      stderr: "err\n",
    })
    expect(readFileSync(join(sandbox, "result"), "utf8")).toBe("x\n")
    const state = await inspect(job)
    expect(state).toMatchObject({
      Name: `"/${job}"`,
      Running: "false",
      ExitCode: "6",
      DockerError: '""',
      OOMKilled: '"false"',
    })
    expect(Date.parse(JSON.parse(state["FinishedAt"] ?? ""))).toBeGreaterThan(
      Date.parse(JSON.parse(state["StartedAt"] ?? "")),
    )
    mkdirSync(join(sandbox, kind))
    await ok("cp", `${job}:/etc/passwd`, join(sandbox, kind))
    expect(readFileSync(join(sandbox, kind, "passwd"), "utf8")).toContain("root:")
    expect(await client.run(["rm", "-f", "-v", job])).toEqual({ status: 0, stdout: `${job}\n`, stderr: "" })
  })

  test("watches a job that runs, and ends it", async () => {
    const tick = "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"
    await create(job, ["-p", "8080", "--expose", "99"], "/bin/sh", "-c", tick)
    const attached = client.spawn(["start", "-a", job])
    await attached.stdout.contains("up\n")
    const answer = await raw(`GET /containers/${job}/stats?stream=0`)
    expect(answer).toMatch(/^HTTP\/1\.\d 200 OK\r\n/)
    expect(answer.toLowerCase()).not.toContain("transfer-encoding")
    for (const name of ["rss", "rx_bytes", "tx_bytes", "usage_in_usermode", "usage_in_kernelmode"])
      expect(Number(new RegExp(`"${name}":(\\d+)`).exec(answer)?.[1] ?? "NaN")).toBeGreaterThanOrEqual(0)
    const text = await raw(`GET /containers/${job}/json`)
    const { NetworkSettings } = JSON.parse(text.slice(text.indexOf("\r\n\r\n")))
    expect(Object.values(NetworkSettings.Ports)).not.toContain(null)
    expect(Number(NetworkSettings.Ports["8080/tcp"][0].HostPort)).toBeGreaterThan(0)
    expect(
      await client.run(["exec", "-i", "-e", "A=b", job, "/bin/sh", "-c", "cat; echo $A"], { stdin: "in " }),
    ).toEqual({
      status: 0,
      stdout: "in b\n",
      stderr: "",
    })
    for (const words of [["pause"], ["unpause"], ["kill", "--signal", "15"]]) expect(await ok(...words, job)).toBe(job)
    expect(await attached.ended()).toBe(9)
    expect(await inspect(job)).toMatchObject({ Running: "false", ExitCode: "9" })
    expect(await ok("rm", "-f", "-v", job)).toBe(job)
  })

  test("tells a missing program, too much memory and a refused create apart", async () => {
    await create(job, ["--network=none"], "/no/such/program")
    const missing = await client.run(["start", "-a", job])
    expect(missing.status).toBe(1)
    const state = await inspect(job)
    expect(state).toMatchObject({ Running: "false", ExitCode: "127", OOMKilled: '"false"' })
    expect(JSON.parse(state["DockerError"] ?? "")).toContain(
      'exec: "/no/such/program": stat /no/such/program: no such file',
    )
    await ok("rm", "-f", "-v", job)

    await create(job, ["--network=none", "--memory-swap=64m"], "/bin/sh", "-c", "x=a; while :; do x=$x$x; done")
    expect((await client.run(["start", "-a", job])).status).toBe(137)
    expect(await inspect(job)).toMatchObject({ ExitCode: "137", OOMKilled: '"true"', DockerError: '""' })
    // What is left is pruned by its label, and nothing else.
    await ok("create", "--name", "other", "bb", "true")
    expect(await ok("container", "prune", "-f", "--filter=label=org.htcondorproject=True")).toContain(
      "Deleted Containers:",
    )
    expect(await ok("ps", "-a", "--format", "{{.Names}}")).toBe("other")
    await ok("rm", "other")

    const refused = await client.run(["create", "--memory=1k", "--name", job, "bb", "true"])
    expect(`${refused.status} ${refused.stderr}`).toMatch(/^(1|125) .*Minimum memory limit allowed is 6MB/)
    expect(await ok("ps", "-aq")).toBe("")
    const gone = await client.run(["rm", "-f", "-v", job])
    expect(gone.stdout).toBe("")
  })
})

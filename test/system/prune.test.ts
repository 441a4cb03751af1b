// Prunes as docker's own client and dhow's ask for them: what goes, what stays, what is said.
import { describe, expect, test } from "bun:test"
import type { PrunePlan } from "../../src/wire/disk.ts"
import { dhow, docker, dockerProgram } from "../support/docker.ts"
import { busyboxTar } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("prune", () => {
  const engine = testEngine()
  const client = docker(engine)
  const ours = dhow(engine)

  async function make(name: string, label = ""): Promise<void> {
    const tar = Bun.spawnSync([
      "tar",
      "-C",
      "/bin",
      "-cf",
      "-",
      "--transform",
      `s/true/${name.replace(":", "-")}/`,
      "true",
    ])
    const [repository, tag = "latest"] = name.split(":")
    const changes = label === "" ? "" : `&changes=${encodeURIComponent(`LABEL ${label}`)}`
    await engine.must("POST", `/images/create?fromSrc=-&repo=${repository}&tag=${tag}${changes}`, tar.stdout)
  }
  const names = async (): Promise<string[]> =>
    (await client.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n").filter(Boolean).sort()

  test("docker image prune obeys until, label, unused and keep", async () => {
    for (const tag of ["1", "2", "3", "4"]) await make(`app:${tag}`, `release=${tag}`)
    await make("tool", "keep=yes")
    await client.ok("create", "--name", "user", "app:1", "true")
    expect(await client.ok("image", "prune", "-af", "--filter", "unused=1h")).toBe("Total reclaimed space: 0B")
    expect(await client.ok("image", "prune", "-af", "--filter", "until=1h")).toBe("Total reclaimed space: 0B")
    const kept = await client.ok("image", "prune", "-af", "--filter", "keep=2", "--filter", "label!=keep=yes")
    // The newest two are 4 and 3; 1 is used; bb and tool are the newest of their own.
    expect(kept).toContain("untagged: app:2\n")
    expect(await names()).toEqual(["app:1", "app:3", "app:4", "bb:latest", "tool:latest"])
    await client.ok("image", "prune", "-af", "--filter", "label=keep")
    expect(await names()).toEqual(["app:1", "app:3", "app:4", "bb:latest"])
  })

  test("dhow image prune --dry-run says what would go and why, and changes nothing", async () => {
    const before = await names()
    const table = await ours.ok("image", "prune", "-a", "--keep-last", "1", "--dry-run")
    expect(table).toMatch(/^IMAGE +IMAGE ID +PLATFORM +SIZE +LAST USED +ACTION +REASON\napp:3 /)
    expect(table).toMatch(/app:1 .* keep +used by container [0-9a-f]{12}\n/)
    expect(table).toMatch(/app:4 .* keep +the newest of app\n/)
    expect(table).toMatch(/\n\nTotal reclaimable space: \d/)
    expect(await names()).toEqual(before)
    const lines = await ours.ok("image", "prune", "-a", "--keep-last", "1", "--dry-run", "--format", "json")
    const rows = lines.split("\n").map((line) => JSON.parse(line) as { Image: string; Action: string })
    expect(rows.filter(({ Action }) => Action === "remove").map(({ Image }) => Image)).toEqual(["app:3"])
    const filters = encodeURIComponent(JSON.stringify({ dangling: ["false"], keep: ["1"] }))
    const plan = await engine.must<PrunePlan>("GET", `/v1.51/dhow/images/prune?filters=${filters}`)
    const pruned = await engine.must<{ SpaceReclaimed: number }>("POST", `/v1.51/images/prune?filters=${filters}`)
    expect(pruned.SpaceReclaimed).toBe(plan.SpaceReclaimable)
  })

  test("unknown filters and a second prune at the same time are refused in Docker's words", async () => {
    for (const noun of ["images", "containers", "volumes", "networks"]) {
      const answer = await engine.call(
        "POST",
        `/v1.51/${noun}/prune?filters=${encodeURIComponent('{"color":["red"]}')}`,
      )
      expect([answer.status, answer.json]).toEqual([400, { message: "invalid filter 'color'" }])
    }
    const answers = await Promise.all([1, 2, 3].map(() => engine.call("POST", "/v1.51/images/prune")))
    const refused = answers.filter(({ status }) => status === 409)
    for (const { json } of refused) expect(json).toEqual({ message: "a prune operation is already running" })
    expect(answers.some(({ status }) => status === 200)).toBe(true)
  })

  test("the last use of an image is written, and survives a crash", async () => {
    const lastUse = async (): Promise<number> => {
      const filters = encodeURIComponent('{"dangling":["false"]}')
      const { Images } = await engine.must<PrunePlan>("GET", `/dhow/images/prune?filters=${filters}`)
      return Date.parse(Images.find(({ Names }) => Names.includes("bb:latest"))!.LastUsed)
    }
    const before = await lastUse()
    await client.ok("run", "--rm", "--net", "none", "bb", "true")
    const after = await lastUse()
    expect(after).toBeGreaterThan(before)
    // Written within two seconds; a kill after that forgets nothing.
    await Bun.sleep(2500)
    await engine.kill()
    await engine.start()
    expect(await lastUse()).toBe(after)
  })

  test("system prune -af --volumes takes everything unused, as docker says it and as dhow does", async () => {
    for (const [line, other] of [
      [client, ours],
      [ours, client],
    ] as const) {
      await make("gone")
      await other.ok(
        "run",
        "--name",
        "done",
        "--net",
        "none",
        "-v",
        "/anonymous",
        "bb",
        "sh",
        "-c",
        "echo x > /anonymous/y",
      )
      await other.ok("volume", "create", "named")
      await other.ok("create", "--name", "more", "bb", "true")
      const ids = (await other.ok("ps", "-aq", "--no-trunc")).split("\n")
      const [volume] = (await other.ok("volume", "ls", "-q")).split("\n").filter((name) => name !== "named")
      const said = await line.ok("system", "prune", "-af", "--volumes")
      expect(said).toMatch(/^Deleted Containers:\n([0-9a-f]{64}\n)+\nDeleted Volumes:\n/)
      for (const id of ids) expect(said).toContain(id)
      expect(said).toContain(`\n${volume}\n\nDeleted Images:\n`)
      expect(said).toMatch(/untagged: gone:latest\ndeleted: sha256:[0-9a-f]{64}\ndeleted: sha256:/)
      expect(said).toMatch(/\n\nTotal reclaimed space: [0-9.]+[kM]?B$/)
      expect(await other.ok("volume", "ls", "-q")).toBe("named")
      expect(await names()).toEqual([])
      expect(await other.ok("volume", "prune", "-af")).toContain("named")
      await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
    }
  })

  test("dhow asks as docker does", async () => {
    const flags = [
      [],
      ["-a"],
      ["-a", "--volumes"],
      ["--filter", "until=24h", "--filter", "label=b", "--filter", "label!=a"],
    ]
    for (const some of flags) {
      const theirs = await client.run(["system", "prune", ...some], { stdin: "n\n" })
      const own = await ours.run(["system", "prune", ...some], { stdin: "n\n" })
      expect(own.stdout.trimEnd()).toBe(theirs.stdout.trimEnd())
      expect(own.status).toBe(theirs.status)
    }
    const both = ["system", "prune", "--volumes", "--filter", "until=1h"]
    expect((await ours.run(both)).stderr).toBe((await client.run(both)).stderr)
  })
})

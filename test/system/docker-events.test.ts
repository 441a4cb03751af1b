// docker events, info and version with the real client.
import { describe, expect, test } from "bun:test"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const PLAIN = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"

describe.skipIf(dockerProgram === undefined)("docker events", () => {
  const client = docker(testEngine())

  test("shows a container's life as it goes, in order", async () => {
    const since = (Date.now() / 1000).toFixed(3)
    const live = client.spawn(["events", "--since", since, "--filter", "type=container", "--format", "{{.Action}}"])
    await client.ok("create", "--name", "seen", "bb", "sleep", "60")
    await client.ok("start", "seen")
    await client.ok("pause", "seen")
    await client.ok("unpause", "seen")
    await client.ok("exec", "seen", "true")
    await client.ok("rename", "seen", "other")
    await client.ok("rename", "other", "seen")
    await client.ok("kill", "seen")
    await client.ok("start", "seen")
    await client.ok("stop", "-t", "0", "seen")
    await client.ok("rm", "seen")
    await live.stdout.contains("destroy\n")
    live.kill("SIGINT")
    await live.ended()
    const now = live.stdout.text.trim().split("\n")
    expect(now.slice(now.indexOf("create"))).toEqual([
      "create",
      "start",
      "pause",
      "unpause",
      "exec_create: true ",
      "exec_start: true ",
      "exec_die",
      "rename",
      "rename",
      "kill",
      "die",
      "start",
      "kill",
      "kill",
      "die",
      "stop",
      "destroy",
    ])
  })

  test("--since and --until give what was, filters choose from it", async () => {
    const since = (Date.now() / 1000).toFixed(3)
    await client.ok("run", "--rm", "--name", "first", "--label", "a=b", "bb", "true")
    await client.run(["run", "--name", "second", "bb", "sh", "-c", "exit 3"])
    await client.ok("volume", "create", "vol")
    await client.ok("volume", "rm", "vol")
    await client.ok("tag", "bb", "bb:other")
    await client.ok("rmi", "bb:other")
    await client.ok("rm", "second")
    const until = (Date.now() / 1000 + 1).toFixed(3)
    const past = async (...flags: string[]) =>
      (await client.ok("events", "--since", since, "--until", until, ...flags)).split("\n").filter(Boolean)
    const all = await past("--format", PLAIN)
    expect(all).toContain("container create first")
    expect(all).toContain("container die second")
    expect(await past("--filter", "type=volume", "--format", "{{.Action}} {{.Actor.ID}}")).toEqual([
      "create vol",
      "destroy vol",
    ])
    expect(await past("--filter", "type=image", "--format", "{{.Action}}")).toEqual(["tag", "untag"])
    expect(
      await past("--filter", "event=die", "--format", "{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}"),
    ).toEqual(["first 0", "second 3"])
    expect(await past("--filter", "label=a=b", "--filter", "event=start", "--format", PLAIN)).toEqual([
      "container start first",
    ])
    expect(await past("--filter", "image=bb", "--filter", "event=destroy", "--format", PLAIN)).toHaveLength(2)
    const [line = ""] = await past("--filter", "event=create", "--filter", "container=second")
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT.* container create [0-9a-f]{64} \(image=bb, name=second\)$/)
  })

  test("info and version are complete for the client", async () => {
    const info = await client.run(["info"])
    expect(info.status).toBe(0)
    expect(info.stdout).toContain("Server Version:")
    expect(info.stdout).not.toContain("ERROR")
    expect(await client.ok("info", "-f", "{{.OSType}} {{.DefaultRuntime}}")).toBe("linux crun")
    expect(await client.ok("version", "-f", "{{.Server.Os}} {{.Server.APIVersion}}")).toMatch(/^linux 1\.\d+$/)
    expect(await client.ok("system", "df")).toContain("Images")
  })
})

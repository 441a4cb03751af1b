// Every command of docker's own client that needs no registry, in its long and its short form, once each with a check of
// what it prints or does: tools/surface/commands.json says which there are.
import { beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { docker, dockerProgram } from "../support/docker.ts"
import { busyboxTar } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker's commands", () => {
  const engine = testEngine()
  const client = docker(engine)
  const ok = (...args: readonly string[]): Promise<string> => client.ok(...args)
  const stateOf = (name: string): Promise<string> => ok("container", "inspect", "-f", "{{.State.Status}}", name)

  beforeAll(async () => {
    await ok(
      "container",
      "run",
      "-d",
      "--name",
      "box",
      "-p",
      "127.0.0.1::80",
      "bb",
      "sh",
      "-c",
      "echo up; exec sleep 600",
    )
  })

  test("look at a container that runs", async () => {
    const id = await ok("ps", "-q", "--no-trunc")
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(await ok("container", "ls", "-q", "--no-trunc")).toBe(id)
    expect(await ok("container", "inspect", "-f", "{{.Id}} {{.Name}}", "box")).toBe(`${id} /box`)
    expect(await ok("inspect", "--type", "container", "-f", "{{.Id}}", "box")).toBe(id)
    // Each asks until the line is there: the log is written beside the run.
    for (const words of [["container", "logs"], ["logs"]]) {
      let text = ""
      while (text !== "up") text = await ok(...words, "box")
    }
    for (const words of [["container", "top"], ["top"]]) expect(await ok(...words, "box")).toContain("sleep 600")
    for (const words of [["container", "port"], ["port"]])
      expect(await ok(...words, "box")).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+$/)
    for (const words of [["container", "stats"], ["stats"]])
      expect(await ok(...words, "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "box")).toBe("box 1")
    for (const words of [["container", "exec"], ["exec"]])
      expect(await ok(...words, "box", "sh", "-c", "echo in; touch /new")).toBe("in")
    for (const words of [["container", "diff"], ["diff"]]) expect(await ok(...words, "box")).toContain("A /new")
  })

  test("copy, export, commit and update a container", async () => {
    const file = join(engine.root, "copied")
    for (const [place, words] of [
      ["/one", ["container", "cp"]],
      ["/two", ["cp"]],
    ] as const) {
      await Bun.write(file, `to ${place}`)
      await ok(...words, file, `box:${place}`)
      expect(await ok("exec", "box", "cat", place)).toBe(`to ${place}`)
    }
    for (const words of [["container", "export"], ["export"]]) {
      const archive = join(engine.root, "exported.tar")
      await ok(...words, "-o", archive, "box")
      expect(Bun.spawnSync(["tar", "-tf", archive]).stdout.toString()).toContain("one\n")
    }
    for (const words of [["container", "commit"], ["commit"]]) {
      expect(await ok(...words, "-m", "why", "box", "made:1")).toMatch(/^sha256:/)
      expect(await ok("run", "--rm", "made:1", "cat", "/one")).toBe("to /one")
    }
    for (const [words, pids] of [
      [["container", "update"], "55"],
      [["update"], "56"],
    ] as const) {
      expect(await ok(...words, "--pids-limit", pids, "box")).toBe("box")
      expect(await ok("inspect", "-f", "{{.HostConfig.PidsLimit}}", "box")).toBe(pids)
    }
  })

  test("lead a container through its life", async () => {
    for (const words of [["container"], []]) {
      const made = await ok(...words, "create", "--name", "life", "-i", "bb", "sh", "-c", "read x; exit 3")
      expect(made).toMatch(/^[0-9a-f]{64}$/)
      expect(await ok(...words, "start", "life")).toBe("life")
      expect(await ok(...words, "pause", "life")).toBe("life")
      expect(await stateOf("life")).toBe("paused")
      expect(await ok(...words, "unpause", "life")).toBe("life")
      expect(await ok(...words, "rename", "life", "renamed")).toBe("")
      expect(await ok(...words, "restart", "-t", "0", "renamed")).toBe("renamed")
      expect(await ok(...words, "stop", "-t", "0", "renamed")).toBe("renamed")
      expect(await stateOf("renamed")).toBe("exited")
      await ok("start", "renamed")
      const attached = client.spawn([...words, "attach", "renamed"])
      attached.write("line\n")
      expect(await attached.ended()).toBe(3)
      expect(await ok(...words, "wait", "renamed")).toBe("3")
      await ok("start", "renamed")
      expect(await ok(...words, "kill", "renamed")).toBe("renamed")
      expect(await ok("wait", "renamed")).toBe("137")
      expect(await ok(...words, "rm", "-f", "-v", "renamed")).toBe("renamed")
    }
    expect(await ok("run", "--rm", "bb", "echo", "short")).toBe("short")
    expect(await ok("container", "run", "--rm", "bb", "echo", "long")).toBe("long")
    await ok("create", "--name", "pruned", "--label", "go=1", "bb", "true")
    expect(await ok("container", "prune", "-f", "--filter", "label=go=1")).toContain("Deleted Containers:")
  })

  test("carry images about", async () => {
    const archive = join(engine.root, "image.tar")
    const tree = join(engine.root, "tree.tar")
    await Bun.write(tree, busyboxTar())
    for (const words of [["image"], []] as const) {
      expect(await ok(...words, "import", "-m", "mine", tree, "carried:1")).toMatch(/^sha256:/)
      expect(await ok(...words, "history", "--format", "{{.Comment}}", "carried:1")).toBe("mine")
      await ok(...words, "tag", "carried:1", "carried:2")
      await ok(...words, "save", "-o", archive, "carried:2")
      const remove = words.length === 0 ? ["rmi"] : ["image", "rm"]
      expect(await ok(...remove, "carried:2")).toContain("Untagged: carried:2")
      expect(await ok(...words, "load", "-i", archive)).toBe("Loaded image: carried:2")
      const list = words.length === 0 ? ["images"] : ["image", "ls"]
      expect((await ok(...list, "--format", "{{.Repository}}:{{.Tag}}", "carried")).split("\n").sort()).toEqual([
        "carried:1",
        "carried:2",
      ])
      expect(await ok("image", "inspect", "-f", "{{.Comment}}", "carried:2")).toBe("mine")
      await ok(...remove, "carried:1", "carried:2")
    }
    expect(await ok("image", "prune", "-f")).toContain("Total reclaimed space:")
  })

  test("make and remove volumes", async () => {
    expect(await ok("volume", "create", "--label", "a=b", "vol")).toBe("vol")
    expect(await ok("volume", "ls", "-q", "--filter", "label=a=b")).toBe("vol")
    expect(await ok("volume", "inspect", "-f", "{{.Driver}}", "vol")).toBe("local")
    expect((await client.run(["volume", "update", "--availability", "drain", "vol"])).stderr).toContain(
      "can only update cluster volumes",
    )
    expect(await ok("volume", "rm", "vol")).toBe("vol")
    await ok("volume", "create")
    expect(await ok("volume", "prune", "-f")).toContain("Deleted Volumes:")
  })

  test("make, join, leave and remove networks", async () => {
    expect(await ok("network", "ls", "-q", "--filter", "name=bridge")).toMatch(/^[0-9a-f]{12}$/)
    expect(await ok("network", "inspect", "-f", "{{.Driver}}", "bridge")).toBe("bridge")
    expect(await ok("network", "create", "--label", "a=b", "mine")).toMatch(/^[0-9a-f]{64}$/)
    expect(await ok("network", "ls", "--filter", "label=a", "--format", "{{.Name}} {{.Driver}}")).toBe("mine bridge")
    await ok("network", "connect", "--alias", "other", "mine", "box")
    const aliases = ["-f", "{{json .NetworkSettings.Networks.mine.Aliases}}", "box"]
    expect(await ok("inspect", ...aliases)).toBe('["other"]')
    const { status, stderr } = await client.run(["network", "rm", "mine"])
    expect(`${status} ${stderr}`).toMatch(/^1 .*has active endpoints \(name:"box"/)
    await ok("network", "disconnect", "mine", "box")
    expect(await ok("network", "rm", "mine")).toBe("mine")
    await ok("network", "create", "unused")
    expect(await ok("network", "prune", "-f")).toContain("unused")
  })

  test("tell of the system", async () => {
    const until = (Date.now() / 1000).toFixed(3)
    for (const words of [["events"], ["system", "events"]])
      expect(
        await ok(...words, "--since", "0", "--until", until, "--filter", "event=create", "--format", "{{.Type}}"),
      ).toContain("container")
    for (const words of [["info"], ["system", "info"]]) expect(await ok(...words, "-f", "{{.OSType}}")).toBe("linux")
    expect(await ok("version", "-f", "{{.Server.APIVersion}} {{.Server.MinAPIVersion}}")).toMatch(/^1\.\d\d 1\.24$/)
    expect(await ok("system", "df", "--format", "{{.Type}}")).toBe("Images\nContainers\nLocal Volumes\nBuild Cache")
    expect(await ok("system", "prune", "-f")).toContain("Total reclaimed space:")
  })
})

// Images through the real client: import, load, save, tag, rmi, history, commit's absence.
import { describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { docker, dockerProgram } from "../support/docker.ts"
import { busyboxTar } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker's images", () => {
  const engine = testEngine()
  const client = docker(engine)

  test("import from a file and from standard input, with changes", async () => {
    const tar = busyboxTar()
    const file = join(engine.root, "root.tar")
    writeFileSync(file, tar)
    expect(await client.ok("import", "-c", "ENV A=b", "-c", 'CMD ["sh","-c","echo $A"]', file, "made:one")).toMatch(
      /^sha256:[0-9a-f]{64}$/,
    )
    expect(await client.ok("run", "--rm", "made:one")).toBe("b")
    const piped = await client.run(["import", "-m", "from a pipe", "-", "made:two"], { stdin: tar })
    expect(piped.status).toBe(0)
    expect(await client.ok("history", "--format", "{{.Comment}}", "made:two")).toBe("from a pipe")
    expect((await client.ok("images", "--format", "{{.Repository}}:{{.Tag}}", "made")).split("\n").sort()).toEqual([
      "made:one",
      "made:two",
    ])
    await client.ok("rmi", "made:one", "made:two")
  })

  test("save and load carry an image over, plain and compressed, with the same id", async () => {
    const file = join(engine.root, "saved.tar")
    await client.ok("tag", "bb", "carried:v1")
    const id = await client.ok("inspect", "-f", "{{.Id}}", "carried:v1")
    await client.ok("save", "-o", file, "carried:v1")
    Bun.spawnSync(["gzip", "-k", file])
    for (const archive of [file, `${file}.gz`]) {
      await client.ok("rmi", "carried:v1")
      expect(await client.ok("load", "-i", archive)).toContain("Loaded image: carried:v1")
      expect(await client.ok("inspect", "-f", "{{.Id}}", "carried:v1")).toBe(id)
    }
    expect(await client.ok("run", "--rm", "carried:v1", "echo", "works")).toBe("works")
    await client.ok("rmi", "carried:v1")
    const broken = await client.run(["load"], { stdin: "this is no archive" })
    expect(broken.status).toBe(1)
    expect(broken.stderr).not.toBe("")
  })

  test("tag and rmi: names come and go, the last one takes the image along", async () => {
    const tar = join(engine.root, "small.tar")
    Bun.spawnSync(["sh", "-c", `mkdir d && echo x > d/x && tar -cf ${tar} d`], { cwd: engine.root })
    const id = await client.ok("import", tar, "small:a")
    await client.ok("tag", "small:a", "small:b")
    expect(await client.ok("rmi", "small:a")).toBe("Untagged: small:a")
    expect(await client.ok("rmi", "small:b")).toContain(`Deleted: ${id}`)
    expect((await client.run(["rmi", "small:b"])).stderr).toContain("No such image: small:b")
    // A container is shown with the name it was made from, and with the image's id once the name has moved on.
    await client.ok("tag", "bb", "moving:1")
    const box = await client.ok("create", "--name", "moved", "moving:1", "true")
    const shown = async () =>
      await client.ok("ps", "-a", "--no-trunc", "--filter", `id=${box}`, "--format", "{{.Image}}")
    expect(await shown()).toBe("moving:1")
    const other = await client.ok("import", tar, "moving:1")
    expect(await shown()).toBe(await client.ok("inspect", "-f", "{{.Image}}", "moved"))
    await client.ok("rmi", other)
    expect(await shown()).toMatch(/^sha256:/)
    await client.ok("rm", "moved")
    expect((await client.run(["tag", "bb", "sha256:1"])).stderr).toContain("using digest algorithm as name")
    const wrong = await client.run(["tag", "bb", "Wrong:Name"])
    expect(wrong.status).toBe(1)
  })

  test("an image in use is refused, and by whom it is used is said", async () => {
    const id = await client.ok("create", "--name", "user", "bb", "true")
    const { status, stderr } = await client.run(["rmi", "bb"])
    expect(status).toBe(1)
    expect(stderr).toContain("conflict: unable to remove repository reference")
    expect(stderr).toContain(id.slice(0, 12))
    await client.ok("rm", "user")
  })

  test("images, inspect and history show what there is", async () => {
    expect(await client.ok("images", "-q", "--no-trunc", "bb")).toBe(await client.ok("inspect", "-f", "{{.Id}}", "bb"))
    expect(await client.ok("images", "--format", "{{.Repository}} {{.Tag}} {{.Size}}", "bb")).toMatch(
      /^bb latest [\d.]+MB$/,
    )
    const [image] = JSON.parse(await client.ok("image", "inspect", "bb"))
    expect(image).toMatchObject({ RepoTags: ["bb:latest"], Os: "linux", RootFS: { Type: "layers" } })
    expect((await client.run(["image", "inspect", "no-such"])).stderr).toContain("No such image: no-such")
    const pull = await client.run(["pull", "example.invalid/nothing"])
    expect(pull.status).toBe(1)
    expect(pull.stderr).toContain("example.invalid")
  })

  test("image prune takes what has no name and is not used", async () => {
    const tar = busyboxTar()
    await client.run(["import", "-", "moved:now"], { stdin: tar })
    const before = await client.ok("inspect", "-f", "{{.Id}}", "moved:now")
    await client.run(["import", "-m", "again", "-", "moved:now"], { stdin: tar })
    expect(await client.ok("images", "-q", "--no-trunc", "--filter", "dangling=true")).toBe(before)
    expect(await client.ok("image", "prune", "-f")).toContain(before)
    expect(await client.ok("images", "-q", "--filter", "dangling=true")).toBe("")
    await client.ok("rmi", "moved:now")
  })
})

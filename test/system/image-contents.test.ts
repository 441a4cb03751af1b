// What dhow shows of images' files and layers: files, diff, tree, squash; with names that a stranger chose.
import { describe, expect, test } from "bun:test"
import { dhow } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const HOSTILE = [
  "mkdir /odd && cd /odd",
  `touch "new
line" "$(printf 'es\\033[2Jc')" "$(printf 'b\\377yte')" "back\\\\slash"`,
].join(" && ")

for (const driver of ["directory", "erofs"])
  describe(`images' contents over ${driver}`, () => {
    const engine = testEngine(["--storage-driver", driver])
    const cli = dhow(engine)

    test("files shows what each layer did and wasted, the largest first", async () => {
      await cli.ok(
        "run",
        "--name",
        "worker",
        "bb",
        "sh",
        "-c",
        "echo more >> /etc/passwd; rm /vol/seed; echo new > /new",
      )
      await cli.ok("commit", "worker", "made:one")
      const rows = await cli.ok(
        "image",
        "files",
        "--format",
        "{{.Change}} {{.Layer}} {{.Wasted}} {{.Path}}",
        "made:one",
      )
      expect(rows.split("\n")[0]).toMatch(/^A 1 0B \/bin\//)
      expect(rows).toContain("\nC 2 30B /etc/passwd\n")
      expect(rows).toContain("\nD 2 5B /vol/seed")
      expect(rows).toContain("\nA 2 0B /new\n")
      expect((await cli.ok("image", "files", "--wasted", "--format", "{{.Path}}", "made:one")).split("\n")).toEqual([
        "/etc/passwd",
        "/vol/seed",
      ])
      const table = await cli.ok("image", "files", "made:one", "/vol")
      expect(table).toContain("-rw-r--r--   0:0")
      expect(table).toMatch(/in 2 layers, 35B of it wasted \(0\.0 %\)$/)
      for (const [args, reason] of [
        [["--layer", "3", "made:one"], 'There is no layer 3 in image "made:one": it has 2'],
        [["made:one", "/nowhere"], 'No layer of image "made:one" has "/nowhere"'],
      ] as const) {
        const { status, stderr } = await cli.run(["image", "files", ...args])
        expect(stderr).toContain(reason)
        expect(status).toBe(1)
      }
      expect((await cli.run(["image", "files", "none"])).stderr).toContain("No such image: none:latest")
    })

    test("diff compares images and containers, and its status can be asked for", async () => {
      const rows = async (...args: readonly string[]) =>
        (await cli.ok("image", "diff", "--format", "{{.Change}} {{.Path}} {{.Details}}", ...args)).split("\n")
      expect(await rows("bb", "made:one")).toEqual(["C /etc/passwd size 30B -> 35B", "A /new ", "D /vol/seed "])
      expect(await rows("made:one", "worker")).toEqual([""])
      expect(await rows("bb", "worker")).toEqual(await rows("bb", "made:one"))
      expect((await cli.run(["image", "diff", "-q", "bb", "worker"])).status).toBe(1)
      expect((await cli.run(["image", "diff", "-q", "made:one", "worker"])).status).toBe(0)
      expect((await cli.run(["image", "diff", "bb", "nobody"])).stderr).toContain("No such image: nobody:latest")
    })

    test("names that would write to the terminal are spelled out, and JSON has them as they are", async () => {
      await cli.ok("run", "--name", "odd", "bb", "sh", "-c", HOSTILE)
      const names = ["back\\\\slash", "b\\xffyte", "es\\x1b[2Jc", "new\\nline"].map((name) => `A /odd/${name}`)
      expect((await cli.ok("diff", "odd")).split("\n").sort()).toEqual(["A /odd", ...names].sort())
      await cli.ok("commit", "odd", "odd")
      const { stdout } = await cli.run(["image", "files", "odd", "/odd"])
      expect(stdout).toContain("/odd/es\\x1b[2Jc")
      expect(stdout).not.toContain("\u001b")
      const answer = await engine.call("GET", "/dhow/images/odd/files?path=odd")
      expect(answer.text).toContain("b\\udcffyte")
      await cli.ok("rm", "odd")
    })

    test("tree shows what images share", async () => {
      const text = await cli.ok("image", "tree")
      expect(text).toContain("(3 images)  Imported from -")
      expect(text).toMatch(/└── \[made:one\] {2}linux\/\w+ {2}1\.98MB, \d+B its own/)
      expect(text).toMatch(/3 images, 1\.98MB of layers; sharing saves 3\.96MB$/)
      const forest = JSON.parse(await cli.ok("image", "tree", "--format", "json", "made:one"))
      expect(forest.layers[0].children).toHaveLength(1)
      expect(forest.layers[0].children[0].images[0].names).toEqual(["made:one"])
    })

    test("squash gives the same files from fewer bytes, the same each time", async () => {
      const id = await cli.ok("image", "squash", "-q", "-t", "small", "made:one")
      expect(await cli.ok("image", "squash", "-q", "-t", "small", "made:one")).toBe(id)
      expect(await cli.ok("image", "diff", "--times", "made:one", "small")).toBe(
        "CHANGE    SIZE      PATH      DETAILS",
      )
      expect(await cli.ok("run", "--rm", "small", "cat", "/etc/passwd")).toContain("more")
      const [layers, steps] = ["{{len .RootFS.Layers}}", "{{.Size}}"]
      expect(await cli.ok("inspect", "-f", layers, "small")).toBe("1")
      expect(Number(await cli.ok("inspect", "-f", steps, "small"))).toBeLessThan(
        Number(await cli.ok("inspect", "-f", steps, "made:one")),
      )
      expect((await cli.ok("history", "--format", "{{.Comment}}", "small")).split("\n")[0]).toBe(
        "2 layers squashed into one",
      )
      await cli.ok("run", "--name", "again", "made:one", "sh", "-c", "rm /new; touch /second")
      await cli.ok("commit", "again", "made:two")
      await cli.ok("image", "squash", "-q", "--base", "bb", "-t", "small:two", "made:two")
      expect(await cli.ok("inspect", "-f", layers, "small:two")).toBe("2")
      expect(await cli.ok("image", "diff", "-q", "made:two", "small:two")).toBe("")
      expect((await cli.run(["image", "squash", "bb"])).stderr).toContain('Cannot squash image "bb": it has one layer')
      expect((await cli.run(["image", "squash", "--base", "odd", "made:two"])).stderr).toContain("is not the base")
      expect((await cli.run(["image", "squash", "--from", "9", "made:two"])).stderr).toContain("There is no layer 9")
    })
  })

// dhow cp beside docker cp: the same copies give the same files, and the same refusals.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TarInput, writeTar } from "../../src/lib/tar/writer.ts"
import { type CommandLine, dhow, docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const IN: readonly (readonly [from: string, to: string])[] = [
  ["file", "/etc"],
  ["file", "/etc/other"],
  ["file", "/none/"],
  ["file", "/link-to-dir"],
  ["file", "/link-to-file"],
  ["tree", "/etc"],
  ["tree", "/new"],
  ["tree", "/new/"],
  ["tree/", "/etc"],
  ["tree/.", "/etc"],
  ["tree/.", "/new"],
  ["tree", "/etc/passwd"],
  ["link", "/etc"],
  ["none", "/etc"],
]

const OUT: readonly (readonly [from: string, to: string])[] = [
  ["/tree/a", "."],
  ["/tree/a", "b"],
  ["/tree/a", "none/"],
  ["/tree/a", "none/none"],
  ["/tree", "."],
  ["/tree", "new"],
  ["/tree", "file"],
  ["/tree/", "there"],
  ["/tree/.", "there"],
  ["/tree/.", "new"],
  ["/link-to-dir", "new"],
  ["/link-to-dir/", "new"],
  ["/link-to-dir/.", "new"],
  ["/none", "new"],
]

describe.skipIf(dockerProgram === undefined)("dhow cp", () => {
  const engine = testEngine()
  const clients: readonly CommandLine[] = [docker(engine), dhow(engine)]
  const client = clients[0]!
  const setUp =
    "mkdir -p /tree/deep && echo a >/tree/a && ln /tree/a /tree/hard && ln -s a /tree/soft && ln -s /tree /link-to-dir && ln -s /tree/a /link-to-file && mkfifo /fifo"
  let here = ""

  beforeAll(async () => {
    here = mkdtempSync(join(tmpdir(), "dhow-cp-"))
    mkdirSync(join(here, "tree/deep"), { recursive: true })
    writeFileSync(join(here, "tree/a"), "a")
    symlinkSync("a", join(here, "tree/soft"))
    symlinkSync("tree", join(here, "link"))
    writeFileSync(join(here, "file"), "file")
    await client.ok("run", "--name", "box", "bb", "sh", "-c", setUp)
    await client.ok("commit", "box", "tree")
  })
  afterAll(() => rmSync(here, { recursive: true, force: true }))

  /** Status and, where it went well, what is there afterwards. */
  async function copyIn(cli: CommandLine, flags: readonly string[], from: string, to: string): Promise<unknown> {
    await client.ok("create", "--name", "target", "tree", "true")
    try {
      const { status } = await cli.run([
        "cp",
        ...flags,
        join(here, from) + (/\/\.?$/.exec(from)?.[0] ?? ""),
        `target:${to}`,
      ])
      return { status, changes: status === 0 ? (await client.ok("diff", "target")).split("\n").sort() : [] }
    } finally {
      await client.ok("rm", "target")
    }
  }

  for (const [from, to] of IN) {
    test(`in: ${from} to ${to}`, async () => {
      const [theirs, ours] = [await copyIn(clients[0]!, [], from, to), await copyIn(clients[1]!, [], from, to)]
      expect(ours).toEqual(theirs)
    })
  }

  test("in: -L of a link", async () => {
    const [theirs, ours] = [
      await copyIn(clients[0]!, ["-L"], "link", "/new"),
      await copyIn(clients[1]!, ["-L"], "link", "/new"),
    ]
    expect(ours).toEqual(theirs)
  })

  async function copyOut(cli: CommandLine, flags: readonly string[], from: string, to: string): Promise<unknown> {
    const out = mkdtempSync(join(here, "out-"))
    mkdirSync(join(out, "there"))
    writeFileSync(join(out, "file"), "before")
    const { status } = await cli.run(["cp", ...flags, `box:${from}`, `${out}/${to}`])
    const list = Bun.spawnSync(["find", ".", "-printf", "%P %y %m %l %n %T@\\n"], { cwd: out }).stdout.toString()
    // The directories that were there before have the time of the test.
    const lines = list.split("\n").filter((line) => !/^(?:|there|new) d /.test(line))
    return { status, lines: status === 0 ? lines.sort() : [] }
  }

  for (const [from, to] of OUT) {
    test(`out: ${from} to ${to}`, async () => {
      const [theirs, ours] = [await copyOut(clients[0]!, [], from, to), await copyOut(clients[1]!, [], from, to)]
      // What was there before was written at another moment.
      expect(withoutFile(ours)).toEqual(withoutFile(theirs))
    })
  }

  test("out: -L of links", async () => {
    for (const from of ["/link-to-dir", "/link-to-file", "/tree/soft"]) {
      const [theirs, ours] = [
        await copyOut(clients[0]!, ["-L"], from, "new"),
        await copyOut(clients[1]!, ["-L"], from, "new"),
      ]
      expect(withoutFile(ours)).toEqual(withoutFile(theirs))
    }
  })

  test("an archive on standard output, and one on standard input", async () => {
    const out = Bun.spawnSync(["tar", "-t"], {
      stdin: Buffer.from((await clients[1]!.run(["cp", "box:/tree", "-"])).stdout),
    })
    expect(out.stdout.toString().split("\n").sort()).toEqual([
      "",
      "tree/",
      "tree/a",
      "tree/deep/",
      "tree/hard",
      "tree/soft",
    ])
    await client.ok("create", "--name", "target", "bb", "true")
    const into = await clients[1]!.run(["cp", "-", "target:/etc"], {
      stdin: await archive([{ path: "x", type: "file", content: Buffer.from("x") }]),
    })
    expect(into).toEqual({ status: 0, stdout: "", stderr: "" })
    expect((await client.ok("diff", "target")).split("\n")).toContain("A /etc/x")
    await client.ok("rm", "target")
  })

  test("an archive that leads out of the directory is not followed there", async () => {
    const outside = mkdtempSync(join(here, "outside-"))
    await client.ok("create", "--name", "target", "bb", "true")
    const hostile = await archive([
      { path: "d/", type: "directory" },
      { path: "d/way", type: "symlink", linkPath: outside },
    ])
    await engine.call("PUT", "/containers/target/archive?path=/", new Uint8Array(hostile))
    const into = mkdtempSync(join(here, "into-"))
    await clients[1]!.ok("cp", "target:/d", into)
    await engine.call(
      "PUT",
      "/containers/target/archive?path=/d",
      new Uint8Array(await archive([{ path: "way/key", type: "file", content: Buffer.from("x") }])),
    )
    const again = await clients[1]!.run(["cp", "target:/d", into])
    expect(Bun.spawnSync(["ls", "-A", outside]).stdout.toString()).toBe("")
    expect(again.status === 0 || again.stderr.includes("in the way")).toBe(true)
    await client.ok("rm", "target")
  })

  test("between two containers, and between none, is refused with a way out", async () => {
    const two = await clients[1]!.run(["cp", "box:/tree", "box:/other"])
    expect([two.status, two.stderr]).toEqual([
      1,
      "dhow: copying between containers is not supported\nTry: dhow cp box:/tree - | dhow cp - box:/other\n",
    ])
    expect((await clients[1]!.run(["cp", "a", "b"])).stderr).toContain("must specify at least one container source")
  })

  test("what cannot be copied to a file system is named", async () => {
    const { status, stderr } = await clients[1]!.run(["cp", "box:/fifo", join(here, "fifo")])
    expect([status, stderr]).toEqual([1, 'dhow: Cannot copy "fifo": it is a fifo\n'])
    expect(readFileSync(join(here, "file"), "utf8")).toBe("file")
  })
})

const withoutFile = (result: unknown): unknown => {
  const { status, lines } = result as { status: number; lines: string[] }
  return { status, lines: lines.filter((line) => !line.startsWith("file f ")) }
}

async function archive(entries: readonly TarInput[]): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of writeTar(entries)) parts.push(chunk)
  return Buffer.concat(parts)
}

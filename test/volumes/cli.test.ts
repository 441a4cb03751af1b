// dhow volume ...: what its commands print, and how they end.
import { expect, test } from "bun:test"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { dhow } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()
const client = dhow(engine)
const hasTools = Bun.which("mkfs.ext4", { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }) !== null
const failure = async (...args: string[]): Promise<string> => {
  const { status, stderr } = await client.run(args)
  return `${status} ${stderr.trim()}`
}

test("volumes are listed with what they hold and who uses them", async () => {
  await client.ok("volume", "create", "--label", "a=b", "data")
  await client.ok("run", "-d", "--name", "user", "-v", "data:/d", "bb", "sh", "-c", "echo 12345 > /d/file; sleep 600")
  const file = join(engine.dataRoot, "volumes/data/_data/file")
  while (!existsSync(file) || readFileSync(file).length < 6) await Bun.sleep(20)
  expect(await client.ok("volume", "ls")).toMatch(/^DRIVER +VOLUME NAME\nlocal +data$/)
  expect((await client.ok("volume", "ls", "-s")).split("\n").at(-1)).toMatch(/^local +data +6B +- +user +now +0$/)
  expect(await client.ok("volume", "ls", "-s", "--format", "{{.Name}} {{.UsedBy}} {{.Size}}")).toBe("data user 6B")
  const [shown] = JSON.parse(await client.ok("volume", "inspect", "data"))
  expect(shown).toMatchObject({ Bytes: 6, UsedBy: [{ Name: "user", Destinations: ["/d"] }], Labels: { a: "b" } })
})

test("volumes are renamed, copied, kept and brought back", async () => {
  expect(await client.ok("volume", "rename", "data", "orders")).toBe("orders")
  expect(await client.ok("volume", "clone", "--pause", "orders", "copy")).toBe("copy")
  expect(await client.ok("volume", "snapshot", "orders", "first")).toBe("first")
  const made = await client.ok("volume", "snapshot", "orders")
  expect(made).toMatch(/^\d{8}-\d{6}$/)
  expect(await client.ok("volume", "snapshots", "ls", "-q", "orders")).toBe(`first\n${made}`)
  expect(await client.ok("volume", "snapshots", "ls", "orders")).toMatch(
    /^SNAPSHOT +CREATED +FILES +SIZE\nfirst +.* ago +1 +6B/,
  )
  expect(await client.ok("volume", "snapshots", "rm", "orders", made)).toBe(made)
  expect(await failure("volume", "restore", "orders", "first")).toBe(
    '1 dhow: Cannot restore volume "orders": it is used by "user"\nStop these containers, and start them afterwards',
  )
  await client.ok("rm", "-f", "user")
  expect(await client.ok("volume", "restore", "orders", "first")).toBe("orders")

  const archive = join(engine.root, "orders.tar")
  await client.ok("volume", "export", "-o", archive, "orders")
  expect(await client.ok("volume", "import", "again", archive)).toBe("again")
  expect(await failure("volume", "import", "again", archive)).toBe(
    "1 dhow: a volume named again already exists\n--replace gives it the archive's files in the place of its own",
  )
  expect(await client.ok("volume", "import", "--replace", "again", archive)).toBe("again")
  expect(readFileSync(join(engine.dataRoot, "volumes/again/_data/file"), "utf8")).toBe("12345\n")
  writeFileSync(archive, "")
  expect(await failure("volume", "import", "none", archive)).toBe(
    '1 dhow: Cannot import volume "none": the archive is empty',
  )
  expect(await failure("volume", "rename", "nobody", "other")).toBe("1 dhow: get nobody: no such volume")
  expect(await client.ok("volume", "rm", "orders", "copy", "again")).toBe("orders\ncopy\nagain")
})

test.skipIf(!hasTools)("volumes have a size that grows (needs e2fsprogs)", async () => {
  await client.ok("volume", "create", "--size", "8m", "limited")
  expect(await client.ok("volume", "resize", "limited", "16m")).toBe("limited")
  expect(await client.ok("volume", "ls", "-s", "--format", "{{.Limit}}")).toBe("16.78MB")
  expect(await failure("volume", "resize", "limited", "lots")).toMatch(/^1 dhow: .*invalid size/)
  expect(await failure("volume", "resize", "limited", "8m")).toMatch(/^1 dhow: .*only grows$/)
  await client.ok("volume", "rm", "limited")
})

// The policy against a full disk, on a small file system of its own: which images go, in which order, and which never.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { mkdirSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { GcStatus } from "../../src/wire/disk.ts"
import { dhow } from "../support/docker.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"

const MEGABYTE = 1 << 20
const engine = new TestEngine(["--storage-driver", "erofs"], "disk/data")
const disk = join(engine.root, "disk")
const config = join(engine.root, "daemon.json")
const withConfig = [...engine.flags, "--config-file", config]
const ours = dhow(engine)
setDefaultTimeout(30_000)

beforeAll(async () => {
  mkdirSync(disk, { recursive: true })
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", disk])
  if (mounted.exitCode !== 0) throw new Error(mounted.stderr.toString())
  writeFileSync(config, "{}")
  Object.assign(engine, { flags: withConfig })
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
})

afterAll(async () => {
  await engine.destroy()
})

/** An image whose one file fills so many megabytes. */
async function make(name: string, megabytes: number, changes = ""): Promise<void> {
  const tar = join(engine.root, `${name}.tar`)
  const made = Bun.spawnSync([
    "sh",
    "-c",
    `d=$(mktemp -d) && head -c ${megabytes * MEGABYTE} /dev/urandom > $d/${name} && tar -C $d -cf - ${name} && rm -r $d`,
  ])
  writeFileSync(tar, made.stdout)
  const query = `fromSrc=-&repo=${name}&changes=${encodeURIComponent(changes)}`
  await engine.must("POST", `/images/create?${query}`, made.stdout)
}

const share = (): number => {
  const { blocks, bfree } = statfsSync(disk)
  return (blocks - bfree) / blocks
}
const names = async (): Promise<string[]> =>
  (await ours.ok("images", "--format", "{{.Repository}}")).split("\n").filter(Boolean).sort()
const status = (): Promise<GcStatus> => engine.must<GcStatus>("GET", "/dhow/gc")
const configure = (gc: object): void => writeFileSync(config, JSON.stringify({ gc }))

test("without a policy nothing is removed, however full the disk is", async () => {
  await make("first", 12)
  await make("second", 12)
  await make("third", 12, "LABEL dhow.keep=1")
  await make("fourth", 12)
  expect(share()).toBeGreaterThan(0.75)
  expect(await status()).toMatchObject({ Policy: null, Images: [] })
  expect(await ours.ok("system", "gc")).toMatch(/^Total reclaimed space: 0B\nDisk: .* used \(\d+%\)$/)
  expect(await names()).toEqual(["bb", "first", "fourth", "second", "third"])
})

test("a policy is read without a restart, and says what would go", async () => {
  // The engine looks a second after images have come; it shall not find the policy of this test.
  await Bun.sleep(1500)
  configure({ max: "70%", floor: "50%", unused: "0s" })
  const { Images, Policy } = await status()
  expect(Policy).toMatchObject({ Max: 0.7, Floor: 0.5, Protect: ["dhow.keep"] })
  const going = Images.filter(({ Remove }) => Remove).map(({ Names }) => Names[0])
  // bb came first, and frees too little.
  expect(going).toEqual(["bb:latest", "first:latest", "second:latest"])
  const table = await ours.ok("system", "gc", "--dry-run")
  expect(table).toMatch(/^Disk: .*\nPolicy: +above 70% down to 50%, never what is in use, .*labelled dhow.keep\n/)
  expect(table).toMatch(/third:latest .* keep +protected by label dhow.keep\n/)
  expect(await names()).toContain("first")
  configure({ max: "70%", floor: "50%" })
  expect((await status()).Images.every(({ Remove, Reason }) => !Remove && /^(used|protected)/.test(Reason))).toBe(true)
})

test("what is least recently used goes until the floor is reached, with an event each; what is used stays", async () => {
  await ours.ok("create", "--name", "user", "first", "true")
  await ours.ok("create", "--name", "short", "bb", "true")
  await ours.ok("rm", "short")
  configure({ max: "70%", floor: "66%", unused: "0s" })
  const since = Math.floor(Date.now() / 1000) - 1
  const said = await ours.ok("system", "gc")
  expect(said).toMatch(/^removed: second:latest \(12\.\d+MB, least recently used\)\nTotal reclaimed space: /)
  expect(share()).toBeLessThan(0.66)
  expect(await names()).toEqual(["bb", "first", "fourth", "third"])
  const until = Math.ceil(Date.now() / 1000)
  const events = await ours.ok(
    "events",
    "--since",
    `${since}`,
    "--until",
    `${until}`,
    "--filter",
    "event=gc",
    "--format",
    "{{.Actor.Attributes.name}} {{.Actor.Attributes.max}}",
  )
  expect(events).toBe("second:latest 70%")
  expect(engine.log()).toContain("An image was removed, for the disk is too full")
  expect((await ours.run(["fsck"])).status).toBe(0)
})

test("the engine looks by itself when images come", async () => {
  configure({ max: "70%", floor: "66%", unused: "0s" })
  await make("fifth", 14)
  const deadline = Date.now() + 10_000
  while (share() > 0.7 && Date.now() < deadline) await Bun.sleep(100)
  // fourth has not been used since it came; bb has.
  expect(await names()).toEqual(["bb", "fifth", "first", "third"])
})

test("a file that makes no sense leaves the policy as it was, and is no reason to start without it", async () => {
  writeFileSync(config, JSON.stringify({ gc: { max: "lots" } }))
  expect((await status()).Policy).toMatchObject({ Max: 0.7 })
  expect(engine.log()).toContain('key \\"gc.max\\": expected a share of the disk')
  await engine.kill()
  expect(await engine.start().catch((error: Error) => error.message)).toContain(
    'key "gc.max": expected a share of the disk: "80%", found "lots"',
  )
  configure({ max: "99%" })
  await engine.start()
  expect((await status()).Policy).toMatchObject({ Max: 0.99 })
})

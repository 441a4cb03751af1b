// Files that are read out of a container while it ends, starts again or is removed: what was begun comes whole, the
// removal does not wait for it, and nothing stays behind when it is through.
import { describe, expect, test } from "bun:test"
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { testEngine } from "../support/fixture.ts"
import { agree } from "../support/invariants.ts"
import { mountsBelow } from "../support/kernel-objects.ts"

const MAIN = join(import.meta.dir, "../../src/main.ts")
/** More than all the buffers on the way. */
const FILL = `mkdir /data && for i in 1 2 3 4 5 6; do dd if=/dev/urandom of=/data/$i bs=1024k count=2 2>/dev/null; done
  cp /data/1 /vol/x; cat /data/* /vol/x | md5sum; sleep 600`

describe("an archive of a container that does not stay", () => {
  const engine = testEngine()
  let serial = 0

  const run = async (name: string, hostConfig: Record<string, unknown> = {}): Promise<string> => {
    const body = { Image: "bb", Cmd: ["sh", "-c", FILL], Volumes: { "/vol": {} } }
    await engine.must("POST", `/containers/create?name=${name}`, { ...body, Tty: true, HostConfig: hostConfig })
    await engine.must("POST", `/containers/${name}/start`)
    for (;;) {
      const { text } = await engine.call("GET", `/containers/${name}/logs?stdout=1`)
      if (text.includes("-")) return text.split(" ")[0] ?? ""
      await Bun.sleep(20)
    }
  }

  /** A reader that has begun and does not go on before `rest` is called, which is given where the files come out. */
  const begin = async (...words: readonly string[]) => {
    const pipe = join(engine.root, `pipe-${serial++}`)
    const place = `${pipe}-out`
    mkdirSync(place)
    Bun.spawnSync(["mkfifo", pipe])
    const dhow = [process.execPath, MAIN, "-H", `unix://${engine.socket}`]
    const child = Bun.spawn(["sh", "-c", `exec "$@" >${pipe}`, "sh", ...dhow, ...words], {
      stdio: ["ignore", "inherit", "pipe"],
    })
    const file = await open(pipe, "r")
    const head = Buffer.alloc(512)
    const { bytesRead } = await file.read(head, 0, head.length)
    const rest = async (): Promise<string> => {
      const archive = `${pipe}.tar`
      const out = openSync(archive, "w")
      const copied = Bun.spawn(["sh", "-c", "cat <&3"], { stdio: ["ignore", out, "inherit", file.fd] })
      closeSync(out)
      const [status, complaint] = await Promise.all([child.exited, new Response(child.stderr).text(), copied.exited])
      await file.close()
      expect([status, complaint]).toEqual([0, ""])
      const bytes = Buffer.concat([head.subarray(0, bytesRead), readFileSync(archive)])
      expect(Bun.spawnSync(["tar", "-xf", "-", "-C", place], { stdin: bytes }).exitCode).toBe(0)
      return place
    }
    return { rest }
  }
  const sum = (...files: readonly string[]): string =>
    new Bun.CryptoHasher("md5").update(Buffer.concat(files.map((path) => readFileSync(path)))).digest("hex")
  const whole = (root: string): string =>
    sum(...["1", "2", "3", "4", "5", "6"].map((name) => join(root, "data", name)), join(root, "vol/x"))

  test("it is whole where the container is removed, and another has its name", async () => {
    const expected = await run("goes")
    const reading = await begin("cp", "goes:/", "-")
    await engine.must("DELETE", "/containers/goes?force=1&v=1")
    await engine.must("POST", "/containers/create?name=goes", { Image: "bb", Cmd: ["true"] })
    expect(whole(await reading.rest())).toBe(expected)
    await engine.must("DELETE", "/containers/goes")
    await agree(engine)
    expect(mountsBelow(engine.execRoot).filter((path) => path.includes("/copy"))).toEqual([])
  })

  test("it is whole where the container ends with --rm, or is started again", async () => {
    const removed = await run("automatic", { AutoRemove: true })
    const again = await run("again")
    const readings = [await begin("cp", "automatic:/", "-"), await begin("cp", "again:/", "-")] as const
    await engine.must("POST", "/containers/automatic/kill")
    await engine.must("POST", "/containers/automatic/wait?condition=removed").catch(() => undefined)
    await engine.must("POST", "/containers/again/kill")
    await engine.must("POST", "/containers/again/wait")
    await engine.must("POST", "/containers/again/start")
    expect(whole(await readings[0].rest())).toBe(removed)
    // The second run has made its files anew meanwhile: there are all of them.
    expect(readdirSync(join(await readings[1].rest(), "data"))).toHaveLength(6)
    expect(again).toMatch(/^[0-9a-f]{32}$/)
    await engine.must("DELETE", "/containers/again?force=1&v=1")
    await agree(engine)
  })

  test("an export is whole too", async () => {
    const expected = await run("exported")
    const reading = await begin("export", "exported")
    // A volume is no part of it.
    const volume = await engine.must<{ Mounts: { Source: string }[] }>("GET", "/containers/exported/json")
    const inVolume = readFileSync(join(volume.Mounts[0]?.Source ?? "", "x"))
    await engine.must("DELETE", "/containers/exported?force=1&v=1")
    const root = await reading.rest()
    const names = ["1", "2", "3", "4", "5", "6"]
    const files = names.map((name) => readFileSync(join(root, "data", name)))
    const md5 = new Bun.CryptoHasher("md5").update(Buffer.concat([...files, inVolume])).digest("hex")
    expect(md5).toBe(expected)
    await agree(engine)
  })

  test("an engine that is killed meanwhile leaves no mount of it", async () => {
    await run("killed")
    const reading = await begin("cp", "killed:/", "-")
    await engine.kill()
    await reading.rest().catch(() => undefined)
    await engine.start()
    expect(mountsBelow(engine.execRoot).filter((path) => /copies|copy/.test(path))).toEqual([])
    await engine.must("DELETE", "/containers/killed?force=1&v=1")
    await agree(engine)
  })
})

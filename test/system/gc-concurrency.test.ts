// Pulls, loads, imports, commits, tags, removals, prunes, saves and runs of the same images and layers at the same time,
// in an order that a seed decides; the engine is killed in the middle, too. Afterwards every byte is where it should be
// and every image runs.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import type { FsckFinding, FsckLine } from "../../src/wire/fsck.ts"
import type { ImageSummary } from "../../src/wire/image.ts"
import { type Answer, busyboxTar, TestEngine } from "../support/engine.ts"
import { agree } from "../support/invariants.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"

const ROUND_MS = 8000
const SEED = Number(process.env["DHOW_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
/** Of another's making: an image that is gone by now, a name that is taken, a prune that runs already. */
const EXPECTED = new Set([200, 201, 204, 304, 404, 409])

/** Mulberry32: the same seed gives the same order. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

setDefaultTimeout(60_000)

describe.skipIf(!hasRegistry).each(["erofs", "directory"])("images at the same time, over %s", (driver) => {
  const engine = new TestEngine(["--storage-driver", driver])
  const base = busyboxTar()
  let registry: TestRegistry
  let archive: Uint8Array
  const remote: string[] = []

  beforeAll(async () => {
    registry = await TestRegistry.start()
    await engine.start()
    await engine.must("POST", "/images/create?fromSrc=-&repo=local0", base)
    // Images of two layers, the lower one shared.
    for (const name of ["a", "b", "c"]) {
      const body = {
        Image: "local0",
        Cmd: ["sh", "-c", `echo ${name} > /etc/name`],
        HostConfig: { NetworkMode: "none" },
      }
      const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create", body)
      await engine.must("POST", `/containers/${Id}/start`)
      await engine.must("POST", `/containers/${Id}/wait`)
      const repository = `${registry.host}/team/${name}`
      await engine.must("POST", `/commit?container=${Id}&repo=${repository}&tag=1`)
      await engine.must("DELETE", `/containers/${Id}`)
      await engine.must("POST", `/images/${repository}/push?tag=1`)
      remote.push(`${repository}:1`)
    }
    const saved = await fetch(`http://dhow/images/get?names=${remote.join("&names=")}`, { unix: engine.socket })
    archive = new Uint8Array(await saved.arrayBuffer())
  })
  afterAll(async () => {
    await engine.destroy()
    await registry.stop()
  })

  const LOCAL = ["local0", "local1", "local2", "local3"]
  const query = (values: Record<string, string>): string => new URLSearchParams(values).toString()
  const filters = (values: Record<string, string[]>): string => query({ filters: JSON.stringify(values) })

  type Random = (below: number) => number
  const some = (random: Random, names: readonly string[]): string => names[random(names.length)]!
  const any = (random: Random): string => some(random, [...LOCAL, ...remote])
  const WORK: Record<string, (random: Random) => Promise<Answer>> = {
    pull: (random) => {
      const [repository, tag] = some(random, remote).split(/:(?=\d+$)/)
      return engine.call("POST", `/images/create?${query({ fromImage: repository!, tag: tag! })}`)
    },
    load: () => engine.call("POST", "/images/load?quiet=1", archive),
    import: (random) =>
      engine.call(
        "POST",
        `/images/create?${query({ fromSrc: "-", repo: some(random, LOCAL), changes: `ENV N=${random(3)}` })}`,
        base,
      ),
    tag: (random) => engine.call("POST", `/images/${any(random)}/tag?${query({ repo: some(random, LOCAL) })}`),
    remove: (random) => engine.call("DELETE", `/images/${any(random)}?force=${random(2)}`),
    prune: (random) => {
      const narrower = [{}, { keep: ["1"] }, { unused: ["1s"] }, { until: ["1s"] }][random(4)]
      return engine.call(
        "POST",
        `/images/prune?${filters({ dangling: [random(2) === 0 ? "false" : "true"], ...narrower })}`,
      )
    },
    collect: () => engine.call("POST", "/dhow/gc"),
    save: (random) => engine.call("GET", `/images/${any(random)}/get`),
    run: async (random) => {
      const made = await create(any(random), ["cat", "/etc/passwd"])
      if (made.status !== 201) return made
      const { Id } = made.json as { Id: string }
      const started = await engine.call("POST", `/containers/${Id}/start`)
      if (started.status === 204) {
        const { StatusCode } = await engine.must<{ StatusCode: number }>("POST", `/containers/${Id}/wait`)
        if (StatusCode !== 0) throw new Error(`A container of a whole image ended with ${StatusCode}`)
      }
      if (random(3) === 0) await engine.call("POST", `/commit?${query({ container: Id, repo: some(random, LOCAL) })}`)
      await engine.call("DELETE", `/containers/${Id}?force=1`)
      return started
    },
  }

  const create = (image: string, command: readonly string[]): Promise<Answer> =>
    engine.call("POST", "/containers/create", { Image: image, Cmd: command, HostConfig: { NetworkMode: "none" } })

  /** What went wrong that nobody else's work explains. */
  async function storm(seed: number, until: () => boolean): Promise<{ failures: string[]; done: number }> {
    const failures: string[] = []
    let done = 0
    await Promise.all(
      [...Object.keys(WORK), "pull", "run", "import"].map(async (kind, at) => {
        const random = randomOf(seed + at)
        while (!until()) {
          try {
            const { status, text } = await WORK[kind]!(random)
            done++
            const reported = kind === "pull" || kind === "load" ? /"error":"([^"]*)"/.exec(text)?.[1] : undefined
            if (!EXPECTED.has(status) || reported !== undefined)
              failures.push(`${kind}: ${status} ${reported ?? text.slice(0, 500)}`)
          } catch (error) {
            if (!until()) failures.push(`${kind}: ${error}`)
          }
          await Bun.sleep(random(30))
        }
      }),
    )
    return { failures, done }
  }

  async function everythingIsWell(): Promise<void> {
    await agree(engine)
    const { text } = await engine.call("POST", "/dhow/fsck")
    const lines = text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as FsckLine)
    expect(lines.filter((line): line is FsckFinding => line.kind === "finding")).toEqual([])
    expect(lines.at(-1)).toMatchObject({ kind: "summary", damaged: 0, notes: 0 })
    for (const { Id } of await engine.must<ImageSummary[]>("GET", "/images/json?all=1")) {
      const made = await create(Id, ["md5sum", "/bin/busybox"])
      const { Id: container } = made.json as { Id: string }
      await engine.must("POST", `/containers/${container}/start`)
      expect(await engine.must("POST", `/containers/${container}/wait`)).toMatchObject({ StatusCode: 0 })
      await engine.must("DELETE", `/containers/${container}`)
    }
  }

  test(`nothing is lost in a storm (DHOW_TEST_SEED=${SEED})`, async () => {
    const end = performance.now() + ROUND_MS
    const { failures, done } = await storm(SEED, () => performance.now() > end)
    expect(failures).toEqual([])
    expect(done).toBeGreaterThan(100)
    await everythingIsWell()
  })

  test(`nothing is lost when the engine is killed in a storm (DHOW_TEST_SEED=${SEED})`, async () => {
    const random = randomOf(SEED)
    for (let round = 0; round < 4; round++) {
      let isOver = false
      const over = storm(SEED + round, () => isOver)
      await Bun.sleep(300 + random(1500))
      isOver = true
      await engine.kill()
      await over.catch(() => undefined)
      await engine.start()
      for (const { Id } of await engine.must<{ Id: string }[]>("GET", "/containers/json?all=1"))
        await engine.call("DELETE", `/containers/${Id}?force=1`)
      await everythingIsWell()
    }
  })
})

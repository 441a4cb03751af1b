// The json-file driver: on the disk as Docker's own, to the byte; whole and without doubles though the engine is killed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { gunzipSync } from "node:zlib"
import { hasDockerd, TestDockerd } from "../support/dockerd.ts"
import { busyboxTar } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"

const usable = process.getuid?.() === 0 && existsSync("/bin/busybox")

type Created = { readonly Id: string }
type Inspected = { readonly LogPath: string; readonly HostConfig: { readonly LogConfig: { readonly Type: string } } }

const CASES: readonly { readonly script: string; readonly options?: Record<string, string>; readonly tty?: boolean }[] =
  [
    { script: "echo out; echo err >&2; echo; printf 'no end'" },
    {
      script: `printf '"q" \\\\ <a> & \\t\\r\\001\\033[1m \\377\\303\\050 \\355\\240\\200 \\342\\200\\250 \\360\\237\\230\\200\\n'`,
    },
    // Twice 16 KiB and more, then a line of exactly 16 KiB.
    { script: "head -c 40000 /dev/zero | tr '\\000' x; echo; head -c 16384 /dev/zero | tr '\\000' y; echo; echo z" },
    {
      script: "echo attributes",
      options: { labels: "b,a", env: "E", "env-regex": "^X", tag: "{{.ImageName}}/{{.DaemonName}}/{{len .ID}}" },
    },
    { script: "printf 'a\\nb'", tty: true },
  ]

describe.skipIf(!usable)("json-file", () => {
  const engine = testEngine()
  const directory = (id: string): string => join(engine.dataRoot, "containers", id)

  const body = ({ script, options = {}, tty = false }: (typeof CASES)[number]) => ({
    Image: "bb",
    Cmd: ["sh", "-c", script],
    Tty: tty,
    Env: ["E=1", "X2=<3>"],
    Labels: { a: "1", b: "two" },
    HostConfig: { NetworkMode: "none", LogConfig: { Type: "json-file", Config: options } },
  })

  const create = async (asked: (typeof CASES)[number]): Promise<string> =>
    (await engine.must<Created>("POST", "/containers/create", body(asked))).Id

  async function run(asked: (typeof CASES)[number]): Promise<string> {
    const id = await create(asked)
    await engine.must("POST", `/containers/${id}/start`)
    return id
  }

  const wait = (id: string): Promise<unknown> => engine.must("POST", `/containers/${id}/wait`)

  /** What the files say in their order, when it has come to be as long as `wanted` says. */
  async function content(id: string, wanted: (text: string) => boolean): Promise<string> {
    for (let tries = 0; ; tries++) {
      const text = files(directory(id), id)
      if (wanted(text) || tries === 200) return text
      await Bun.sleep(50)
    }
  }

  test("LogPath names the file; without a driver the log is the engine's own", async () => {
    const named = await run({ script: "echo x" })
    const inspected = await engine.must<Inspected>("GET", `/containers/${named}/json`)
    expect(inspected.LogPath).toBe(join(directory(named), `${named}-json.log`))
    const { Id } = await engine.must<Created>("POST", "/containers/create", { Image: "bb", Cmd: ["true"] })
    const own = await engine.must<Inspected>("GET", `/containers/${Id}/json`)
    expect([own.LogPath, own.HostConfig.LogConfig.Type]).toEqual(["", "json-file"])
  })

  describe.skipIf(!hasDockerd)("beside Docker's", () => {
    const dockerd = new TestDockerd()
    const docker = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const payload = body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body)
      const response = await fetch(`http://docker${path}`, {
        unix: dockerd.socket,
        method,
        headers: { "content-type": body instanceof Uint8Array ? "application/x-tar" : "application/json" },
        ...(body === undefined ? {} : { body: payload }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${path}: ${text}`)
      return (text === "" || path.startsWith("/images") ? undefined : JSON.parse(text)) as T
    }
    beforeAll(async () => {
      await dockerd.start()
      await docker("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
    }, 60_000)
    afterAll(() => dockerd.stop(), 60_000)

    test.each(CASES)("the same bytes: %j", async (asked) => {
      const theirs = await docker<Created>("POST", "/containers/create", body(asked))
      await docker("POST", `/containers/${theirs.Id}/start`)
      await docker("POST", `/containers/${theirs.Id}/wait`)
      const { LogPath } = await docker<Inspected>("GET", `/containers/${theirs.Id}/json`)
      const wanted = streams(readFileSync(LogPath))
      const id = await run(asked)
      await wait(id)
      const text = await content(id, (now) => now.length >= readFileSync(LogPath, "latin1").length - 20)
      expect(streams(Buffer.from(text, "latin1"))).toEqual(wanted)
      expect(statSync(join(directory(id), `${id}-json.log`)).mode & 0o777).toBe(statSync(LogPath).mode & 0o777)
    })
  })

  test("is rotated and compressed; the engine killed meanwhile leaves every line once", async () => {
    const options = { "max-size": "200k", "max-file": "1000", compress: "true" }
    const id = await run({ script: "seq 1 60000; sleep 0.5; seq 60001 120000; printf end", options })
    for (let kill = 0; kill < 3; kill++) {
      await content(id, (now) => now.length > kill * 1_000_000 + 200_000)
      await engine.kill()
      await engine.start()
    }
    await wait(id)
    // A file that is just being compressed may be missed by one look.
    const text = await content(id, (now) => now.includes('"end"') && now.split("\n").length > 120_001)
    const said = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { log: string }).log)
    expect(said.length).toBe(120_001)
    expect(said.findIndex((line, index) => line !== (index === 120_000 ? "end" : `${index + 1}\n`))).toBe(-1)
    const names = readdirSync(directory(id)).filter((name) => name.includes("-json.log."))
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !name.endsWith(".gz")).length).toBeLessThan(2)
  }, 30_000)

  test.each(["json-file:before-rotation", "json-file:after-rotation", "forward:after-send"])(
    "the engine killed at logging.%s leaves every line once",
    async (point) => {
      await engine.kill()
      await engine.start({ DHOW_CRASH_AT: `logging.${point}`, DHOW_CRASH_AFTER: "2" })
      const id = await create({
        script: "for i in 1 2 3 4 5; do seq $((i*10000)) $((i*10000+3999)); usleep 50000; done",
        options: { "max-size": "200k", "max-file": "50" },
      })
      await Promise.allSettled([engine.call("POST", `/containers/${id}/start`), engine.ended()])
      await engine.start()
      await engine.must("POST", `/containers/${id}/start`)
      await wait(id)
      const whole = Array.from(
        { length: 20_000 },
        (_, index) => `${1 + Math.floor(index / 4000)}${String(index % 4000).padStart(4, "0")}`,
      )
      // Where it was killed before the container had started, that ran once, else twice.
      const text = await content(id, (now) => [20_001, 40_001].includes(now.split("\n").length))
      const said = text
        .split("\n")
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { log: string }).log.trim())
      expect([whole.join(), [...whole, ...whole].join()]).toContain(said.join())
    },
    30_000,
  )

  test("keeps as many files as asked, and `logs` reads all the same", async () => {
    const id = await run({ script: "seq 1 20000", options: { "max-size": "100k", "max-file": "2" } })
    await wait(id)
    await content(id, (now) => now.includes('"20000\\n"'))
    expect(
      readdirSync(directory(id))
        .filter((name) => name.includes("-json.log"))
        .sort(),
    ).toEqual([`${id}-json.log`, `${id}-json.log.1`])
    const { text } = await engine.call("GET", `/containers/${id}/logs?stdout=1&tail=1`)
    expect(text).toContain("20000")
  })

  test("a second run goes on in the file, after what the first left unfinished", async () => {
    const id = await run({ script: "printf one" })
    await wait(id)
    await content(id, (now) => now.includes('"one"'))
    await engine.must("POST", `/containers/${id}/start`)
    await wait(id)
    const text = await content(id, (now) => now.split("\n").length > 2)
    expect(text.match(/"log":"one"/g)).toHaveLength(2)
  })
})

/** All files of a log, the oldest first, as latin1. */
function files(directory: string, id: string): string {
  const live = join(directory, `${id}-json.log`)
  if (!existsSync(live)) return ""
  const numbers = new Map<number, string>()
  for (const name of readdirSync(dirname(live))) {
    const match = /-json\.log\.(\d+)(\.gz)?$/.exec(name)
    // Plain first: the compressed one may still be growing.
    if (match !== null && (match[2] === undefined || !numbers.has(Number(match[1]))))
      numbers.set(Number(match[1]), name)
  }
  const parts = [...numbers].sort(([a], [b]) => b - a).map(([, name]) => readMaybe(join(directory, basename(name))))
  return [...parts, readMaybe(live)].join("")
}

function readMaybe(path: string): string {
  try {
    const bytes = readFileSync(path)
    return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1")
  } catch {
    // Renamed or still being compressed: the next look sees it.
    return ""
  }
}

/** Each stream's lines without their times: the two may come in another order to one another. */
function streams(bytes: Buffer): Record<string, string[]> {
  const lines = bytes
    .toString("latin1")
    .split("\n")
    .map((line) => line.replace(/"time":"[^"]+"/, '"time":""'))
  return Object.fromEntries(
    ["stdout", "stderr"].map((name) => [name, lines.filter((line) => line.includes(`"stream":"${name}"`))]),
  )
}

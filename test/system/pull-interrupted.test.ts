// A pull through the daemon that is killed again and again, and one whose client goes away: both go on where they stopped.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { TestEngine } from "../support/engine.ts"
import { addFaultImage } from "../support/fault-image.ts"
import { FaultRegistry } from "../support/fault-registry.ts"
import { Relay } from "../support/registry.ts"

const SIZE = 96 << 20
const MAIN = join(import.meta.dir, "../../src/main.ts")
const engine = new TestEngine()
const registry = new FaultRegistry()
let relay: Relay
let host: string

beforeAll(async () => {
  relay = new Relay(await registry.listen())
  host = await relay.listen()
  await engine.start()
}, 30_000)
afterAll(async () => {
  await engine.destroy()
  relay.close()
  registry.close()
}, 30_000)

const moved = (): number => relay.blobs().reduce((sum, { bytes }) => sum + bytes, 0)
const exists = async (name: string): Promise<boolean> =>
  (await engine.call("GET", `/images/${host}/${name}:1/json`)).status === 200

test("a pull whose daemon is killed ten times gets there, and the registry sends hardly a byte twice", async () => {
  const { size } = await addFaultImage(registry, randomBytes(SIZE))
  relay.bytesPerMillisecond = 2000
  for (let round = 0; round < 10; round++) {
    const from = moved()
    const pull = engine.call("POST", `/images/create?fromImage=${host}/killed&tag=1`).catch(() => undefined)
    while (moved() - from < 8 << 20) await Bun.sleep(2)
    await engine.kill()
    await pull
    await engine.start()
    expect(await exists("killed")).toBe(false)
  }
  relay.bytesPerMillisecond = undefined
  const answer = await engine.must<undefined>("POST", `/images/create?fromImage=${host}/killed&tag=1`)
  expect(answer).toBeUndefined()
  expect(await exists("killed")).toBe(true)
  expect(moved() / size).toBeLessThan(1.1)
  expect(readdirSync(join(engine.dataRoot, "content/ingest"))).toEqual([])
}, 180_000)

test("Ctrl-C on dhow pull keeps what came, and the next pull goes on from it", async () => {
  const { layer, size } = await addFaultImage(registry, randomBytes(SIZE))
  relay.seen.length = 0
  relay.bytesPerMillisecond = 2000
  const command = [process.execPath, MAIN, "-H", `unix://${engine.socket}`, "pull", `${host}/stopped:1`]
  const first = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] })
  while (moved() < 10 << 20) await Bun.sleep(2)
  first.kill("SIGINT")
  expect(await first.exited).toBe(130)
  // The daemon hears of it by the closed connection.
  const settled = async (): Promise<number> => {
    const before = moved()
    await Bun.sleep(100)
    return moved() === before ? before : await settled()
  }
  expect(await settled()).toBeLessThan(SIZE / 3)
  expect(readdirSync(join(engine.dataRoot, "content/ingest"))).toEqual([`partial-${layer.slice("sha256:".length)}`])
  relay.bytesPerMillisecond = undefined
  const second = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] })
  expect(await second.exited).toBe(0)
  expect(moved() / size).toBeLessThan(1.1)
}, 60_000)

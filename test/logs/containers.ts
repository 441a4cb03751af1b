// Containers that write known lines with a log driver: the engine and the helpers of the tests of drivers.
import { afterAll } from "bun:test"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { testEngine } from "../support/fixture.ts"

export const usable = process.getuid?.() === 0 && existsSync("/bin/busybox")
export const SCRIPT = "echo out; echo; echo err >&2; head -c 20000 /dev/zero | tr '\\000' x; echo; echo end"

/** To be called within a `describe`. */
export function loggingContainers() {
  const engine = testEngine()
  const directory = mkdtempSync(join(tmpdir(), "dhow-log-"))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  let serial = 0

  async function create(type: string, options: Record<string, string>, script = SCRIPT): Promise<string> {
    const { Id } = await engine.must<{ Id: string }>("POST", `/containers/create?name=c${serial++}`, {
      Image: "bb",
      Cmd: ["sh", "-c", script],
      Env: ["COLOUR=blue"],
      Labels: { team: "a b" },
      HostConfig: { NetworkMode: "none", LogConfig: { Type: type, Config: options } },
    })
    return Id
  }

  async function run(type: string, options: Record<string, string>, script = SCRIPT): Promise<string> {
    const id = await create(type, options, script)
    await engine.must("POST", `/containers/${id}/start`)
    return id
  }

  const wait = (id: string): Promise<unknown> => engine.must("POST", `/containers/${id}/wait`)
  const read = async (id: string): Promise<string> =>
    (await engine.call("GET", `/containers/${id}/logs?stdout=1&stderr=1&tail=1`)).text.slice(8)

  return {
    engine,
    directory,
    create,
    run,
    wait,
    read,
    /** How many were made so far. */
    get made() {
      return serial
    },
    /** The name of the last one. */
    get last() {
      return `c${serial - 1}`
    },
  }
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries === 300) throw new Error("It did not come")
    await Bun.sleep(30)
  }
}

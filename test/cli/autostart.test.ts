// A command starts the daemon when none answers: many commands at once start one.
import { afterAll, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { TestEngine } from "../support/engine.ts"
import { dhow, MAIN } from "./command-line.ts"

const usable = process.getuid?.() === 0
const engine = new TestEngine()
const configFile = join(engine.root, "daemon.json")
const environment = {
  DHOW_HOST: "",
  DHOW_EXEC_ROOT: engine.execRoot,
  DHOW_DATA_ROOT: engine.dataRoot,
  DHOW_CONFIG: configFile,
}

/** Processes whose command line and environment make them daemons of this test. */
function daemons(): number[] {
  const { stdout } = Bun.spawnSync(["ps", "-eo", "pid=,args="])
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line.includes(`${MAIN} daemon`))
    .map((line) => Number(line.trim().split(" ")[0]))
    .filter((pid) => environmentOf(pid).includes(`DHOW_EXEC_ROOT=${engine.execRoot}\0`))
}

function environmentOf(pid: number): string {
  return Bun.spawnSync(["cat", `/proc/${pid}/environ`]).stdout.toString()
}

afterAll(async () => {
  if (usable) {
    for (const pid of daemons()) {
      process.kill(pid, "SIGKILL")
      while (environmentOf(pid) !== "") await Bun.sleep(20)
    }
  }
  await engine.destroy()
}, 30_000)

test.skipIf(!usable)("a daemon that cannot start is reported with its own words", async () => {
  mkdirSync(engine.root, { recursive: true })
  writeFileSync(configFile, "{ nonsense")
  const outcome = await dhow(["ps"], { environment })
  expect(outcome.status).toBe(1)
  expect(outcome.stderr).toContain("dhow: Cannot start the daemon: it ended with status 1: ")
  expect(outcome.stderr).toContain(`Configuration file "${configFile}", line 1, column 3: `)
})

test.skipIf(!usable)(
  "commands at the same time start one daemon",
  async () => {
    const { bridge, cgroupParent } = engine
    mkdirSync(engine.root, { recursive: true })
    writeFileSync(configFile, JSON.stringify({ bridge, "cgroup-parent": cgroupParent, "network-pool": 1 }))
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => dhow(["ps", "-q"], { environment })))
    expect(outcomes).toEqual(outcomes.map(() => ({ status: 0, stdout: "", stderr: "" })))
    expect(daemons()).toHaveLength(1)
  },
  60_000,
)

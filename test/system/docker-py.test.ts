// docker-py, as Debian ships it, against a real engine; skipped where Python or the package is not there.
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { CommandLine } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const PYTHON = "/usr/bin/python3"

function hasDockerPy(): boolean {
  try {
    return Bun.spawnSync([PYTHON, "-c", "import docker"], { stderr: "ignore" }).exitCode === 0
  } catch {
    return false
  }
}

describe.skipIf(!hasDockerPy())("docker-py", () => {
  const engine = testEngine()

  test("runs, attaches, executes, reads logs, events and images", async () => {
    const environment = { DOCKER_HOST: `unix://${engine.socket}`, IMAGE: "bb", PYTHONDONTWRITEBYTECODE: "1" }
    const python = new CommandLine([PYTHON], environment)
    const { stdout, stderr } = await python.run([join(import.meta.dir, "docker-py.py")], { patience: 25_000 })
    expect(stderr).toBe("")
    expect(stdout).toBe("well\n")
  })
})

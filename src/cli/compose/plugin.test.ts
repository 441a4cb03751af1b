import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findPlugin } from "./plugin.ts"

function program(directory: string, text: string): string {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, "docker-compose")
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

test("findPlugin() looks into the user's directories before the PATH, and takes no docker-compose of version 1", () => {
  const root = mkdtempSync(join(tmpdir(), "dhow-plugin-"))
  try {
    const config = join(root, "config")
    const first = program(join(root, "v1"), "echo 1.29.2")
    const second = program(join(root, "v2"), "echo 2.40.3")
    // The machine's own directories come before the PATH, so what they have is no concern here.
    const onMachine = findPlugin({ DOCKER_CONFIG: config, PATH: "" })
    const found = (path: string): string | undefined => findPlugin({ DOCKER_CONFIG: config, PATH: path })
    expect(found(join(root, "v1"))).toBe(onMachine as string)
    expect(found(`${join(root, "v1")}`)).not.toBe(first)
    expect(found(join(root, "v2"))).toBe(onMachine ?? second)
    expect(found("relative")).toBe(onMachine as string)
    const own = program(join(config, "cli-plugins"), "exit 0")
    expect(found(join(root, "v2"))).toBe(own)
    const extra = program(join(root, "extra"), "exit 0")
    writeFileSync(join(config, "config.json"), JSON.stringify({ cliPluginsExtraDirs: [join(root, "extra")] }))
    expect(found("")).toBe(extra)
    chmodSync(extra, 0o644)
    expect(found("")).toBe(own)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

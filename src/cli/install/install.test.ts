import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { firstGroup, type InstallOptions, install, uninstall } from "./install.ts"
import { serviceUnit, socketUnit } from "./units.ts"

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-install-"))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function options(changes: Partial<InstallOptions> = {}): InstallOptions {
  const program = join(directory, "built")
  writeFileSync(program, "#!/bin/sh\necho one\n")
  const completions = { bash: "for bash", zsh: "for zsh", fish: "for fish" }
  return { program, prefix: join(directory, "prefix"), completions, systemd: true, dockerSocket: false, ...changes }
}

function tree(prefix: string): string[] {
  return readdirSync(prefix, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(prefix.length + 1))
    .sort()
}

test("install() puts program, completions and units below the prefix, and nothing else", () => {
  const { prefix } = options()
  const { files } = install(options())
  expect(tree(prefix)).toEqual([
    "bin/dhow",
    "lib/systemd/system/dhow.service",
    "lib/systemd/system/dhow.socket",
    "share/bash-completion/completions/dhow",
    "share/fish/vendor_completions.d/dhow.fish",
    "share/zsh/site-functions/_dhow",
  ])
  expect([...files].sort()).toEqual(tree(prefix).map((path) => join(prefix, path)))
  expect(statSync(join(prefix, "bin/dhow")).mode & 0o777).toBe(0o755)
  expect(readFileSync(join(prefix, "lib/systemd/system/dhow.service"), "utf8")).toContain(
    `ExecStart=${prefix}/bin/dhow daemon -H fd://`,
  )
})

test("install() replaces the program by another file, so that one that runs is not disturbed", () => {
  const { prefix, program } = options()
  install(options())
  const before = statSync(join(prefix, "bin/dhow")).ino
  install({ ...options(), program })
  expect(statSync(join(prefix, "bin/dhow")).ino).not.toBe(before)
})

test("install() of the installed program over itself leaves it as it is", () => {
  const { prefix } = options()
  install(options())
  const text = readFileSync(join(prefix, "bin/dhow"), "utf8")
  install({ ...options(), program: join(prefix, "bin/dhow") })
  expect(readFileSync(join(prefix, "bin/dhow"), "utf8")).toBe(text)
})

test("install() without systemd writes no units", () => {
  const { prefix } = options()
  install(options({ systemd: false }))
  expect(tree(prefix).filter((path) => path.includes("systemd"))).toEqual([])
})

test("install() says what is in the way", () => {
  writeFileSync(join(directory, "file"), "")
  expect(() => install(options({ prefix: join(directory, "file") }))).toThrow(/^Cannot install below ".*file"$/)
})

test("uninstall() removes what install() has put there, and says so; twice is fine", () => {
  const { prefix } = options()
  install(options())
  expect(uninstall(prefix).files).toHaveLength(6)
  expect(tree(prefix)).toEqual([])
  expect(uninstall(prefix).files).toEqual([])
})

test("socketUnit() listens on Docker's path where it is asked to, and names a group only where there is one", () => {
  const unit = { program: "/usr/local/bin/dhow", sockets: ["/run/docker.sock"], group: "docker" }
  expect(socketUnit(unit)).toContain("ListenStream=/run/dhow/dhow.sock\nListenStream=/run/docker.sock\n")
  expect(socketUnit(unit)).toContain("SocketGroup=docker\n")
  expect(socketUnit({ ...unit, sockets: [], group: undefined })).not.toMatch(/docker|SocketGroup/)
})

test("firstGroup() prefers dhow's own group to docker's, and may find none", () => {
  expect(firstGroup("root:x:0:\ndocker:x:99:\ndhow:x:100:\n")).toBe("dhow")
  expect(firstGroup("root:x:0:\ndocker:x:99:\n")).toBe("docker")
  expect(firstGroup("root:x:0:\n")).toBeUndefined()
})

test.skipIf(Bun.which("systemd-analyze") === null)("systemd finds no fault with the units", () => {
  const unit = { program: "/bin/true", sockets: [], group: undefined }
  writeFileSync(join(directory, "dhow.service"), serviceUnit(unit))
  writeFileSync(join(directory, "dhow.socket"), socketUnit(unit))
  const { stderr } = Bun.spawnSync(["systemd-analyze", "verify", join(directory, "dhow.service")], {
    env: { ...process.env, SYSTEMD_UNIT_PATH: `${directory}:` },
    stderr: "pipe",
  })
  const complaints = stderr
    .toString()
    .split("\n")
    .filter((line) => line.includes("dhow."))
  expect(complaints).toEqual([])
})

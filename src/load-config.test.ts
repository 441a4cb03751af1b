import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadConfig } from "./load-config.ts"

const NO_FILE = { DHOW_CONFIG: "/nonexistent/daemon.json" }

function withFile<T>(text: string, work: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "load-config-"))
  try {
    const path = join(directory, "daemon.json")
    writeFileSync(path, text)
    return work(path)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test("loadConfig() takes flags before the environment, that before the file, that before the defaults", () => {
  withFile(JSON.stringify({ "data-root": "/file", "exec-root": "/file-run", bridge: "file0", init: true }), (path) => {
    const config = loadConfig(["--config-file", path, "--bridge", "flag0"], { DHOW_EXEC_ROOT: "/environment" })
    expect(config).toMatchObject({
      dataRoot: "/file",
      execRoot: "/environment",
      bridge: "flag0",
      init: true,
      hosts: ["unix:///environment/dhow.sock"],
      logDriver: undefined,
      logOptions: {},
    })
  })
})

test("loadConfig() makes roots and the cgroup parent absolute", () => {
  const config = loadConfig(["--data-root", "d", "--exec-root", "r", "--cgroup-parent", "../a/b"], NO_FILE)
  expect(config).toMatchObject({
    dataRoot: join(process.cwd(), "d"),
    execRoot: join(process.cwd(), "r"),
    cgroupParent: "/a/b",
  })
})

test.each([
  [["--foo"], "Unknown option '--foo'"],
  [["extra"], "Unexpected argument 'extra'"],
  [["--network-pool", "-1"], "argument is ambiguous"],
  [["--network-pool", "65"], 'invalid network-pool "65": expected 0 to 64'],
  [["--log-level", "loud"], 'invalid log level "loud"'],
  [["--log-opt", "max-file"], 'invalid log option "max-file"'],
  [["--add-runtime", "x"], 'invalid runtime "x": expected NAME=PATH'],
  [["--dns", "zz"], 'invalid DNS server "zz"'],
  [["--bridge", "sixteen-letters0"], 'invalid bridge name "sixteen-letters0"'],
  [["--config-file", "/nonexistent/x.json"], 'Configuration file "/nonexistent/x.json" does not exist'],
])("loadConfig() refuses %j", (args, message) => {
  expect(() => loadConfig(args, NO_FILE)).toThrow(message)
})

test.each([
  ["x", "is not JSON"],
  ["[]", "is not a JSON object"],
  ['{"init":"yes"}', 'key "init": Invalid type'],
  ['{"log-opts":{"max-file":3}}', 'key "log-opts.max-file"'],
])("loadConfig() refuses a file with %s", (text, message) => {
  withFile(text, (path) => expect(() => loadConfig(["--config-file", path], {})).toThrow(message))
})

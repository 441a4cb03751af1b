import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadConfig } from "./load.ts"

const NO_FILE = { DHOW_CONFIG: "/nonexistent/daemon.json", DHOW_DOCKER_CONFIG: "" }

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

test("loadConfig() reads address pools and options of networks as dockerd's flags say them", () => {
  const flags = [
    "--default-address-pool",
    "base=10.0.0.0/8,size=24",
    "--default-address-pool",
    "size=64,base=fd00::/48",
  ]
  const option = ["--default-network-opt", "bridge=com.docker.network.driver.mtu=1400"]
  expect(loadConfig([...flags, ...option, "--default-network-opt", "bridge=a=b=c"], NO_FILE)).toMatchObject({
    addressPools: [
      { base: "10.0.0.0/8", size: 24 },
      { base: "fd00::/48", size: 64 },
    ],
    networkOptions: { bridge: { "com.docker.network.driver.mtu": "1400", a: "b=c" } },
  })
  expect(loadConfig([], NO_FILE)).toMatchObject({ addressPools: undefined, networkOptions: {} })
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
  [["--network-pool", "65"], 'invalid network-pool "65": expected a whole number from 0 to 64'],
  [["--log-level", "loud"], 'invalid log-level "loud": expected one of debug, info, warn, error'],
  [["--log-opt", "max-file"], 'invalid log option "max-file"'],
  [["--add-runtime", "x"], 'invalid runtime "x": expected NAME=PATH'],
  [["--default-ulimit", "nofile"], 'invalid ulimit "nofile": expected NAME=SOFT[:HARD]'],
  [["--default-ulimit", "nofile=9:1"], 'invalid default-ulimit "nofile=9:1": expected a soft limit'],
  [["--default-runtime", "nope"], "specified default runtime 'nope' does not exist"],
  [
    ["--default-address-pool", "base=10.0.0.0/8"],
    'invalid address pool "base=10.0.0.0/8": expected base=SUBNET,size=BITS',
  ],
  [["--default-address-pool", "base=10.0.0.0/16,size=8"], "invalid pools definition"],
  [["--default-address-pool", "base=10.0.0.0/x,size=8"], "expected a subnet"],
  [["--default-network-opt", "bridge=mtu"], 'invalid network option "mtu": expected DRIVER=OPTION=VALUE'],
  [["--dns", "zz"], 'invalid dns "zz": expected an IP address'],
  [["--label", "a=1", "--label", "a=2"], "conflict labels for a=2 and a=1"],
  [["--bridge", "sixteen-letters0"], 'invalid bridge "sixteen-letters0"'],
  [["-H", "tcp://0.0.0.0:2375"], 'invalid host "tcp://0.0.0.0:2375": expected unix:///PATH or fd://'],
  [["--config-file", "/nonexistent/x.json"], 'Configuration file "/nonexistent/x.json" does not exist'],
])("loadConfig() refuses %j", (args, message) => {
  expect(() => loadConfig(args, NO_FILE)).toThrow(message)
})

test.each([
  ["x", 'daemon.json", line 1, column 1: expected a value, there is "x"'],
  ["[]", "is not a JSON object: expected {...}"],
  ['{\n  "init": true,\n}', 'line 3, column 1: expected a key in "double quotes", there is "}"'],
  ['{\n  "init": true\n  "dns": []}', "line 3, column 3: expected , or }, there is"],
  ['{"init":true,"init":false}', 'the key "init" is given twice, first in line 1'],
  ['{\n"colour":"none"}', 'line 2: key "colour": unknown key'],
  ['{\n"log-opts":\n{"tag":5}}', 'line 3: key "log-opts.tag": expected a text, found 5'],
  ['{"init":"yes"}', 'key "init": expected true or false, found "yes"'],
  ['{"runtimes":{"x":{"path":"/x","runtimeType":"y"}}}', 'key "runtimes.x.runtimeType": unknown key'],
  ['{"gc":{"max":"80"}}', 'key "gc.max": expected a share of the disk: "80%", found "80"'],
  ['{"gc":{"floor":"80%"}}', 'key "gc.max": expected'],
  ['{"userns-remap":"default"}', 'key "userns-remap": mapping users of all containers is not available'],
  ['{"tls":true}', 'key "tls": the API is served on unix sockets only'],
  ['{"icc":false}', 'key "icc": keeping containers of the default bridge apart is not available'],
  ['{"default-runtime":"nope"}', "line 1: key \"default-runtime\": specified default runtime 'nope' does not exist"],
])("loadConfig() refuses a file with %s", (text, message) => {
  withFile(text, (path) => expect(() => loadConfig(["--config-file", path], {})).toThrow(message))
})

test("loadConfig() takes an empty file, and one with a byte order mark, as dockerd does", () => {
  withFile(" \n", (path) => expect(loadConfig(["--config-file", path], {}).init).toBe(false))
  withFile('\uFEFF{"init":true}', (path) => expect(loadConfig(["--config-file", path], {}).init).toBe(true))
})

test("loadConfig() joins what flags say of registries, runtimes and log options with the file", () => {
  const file = {
    "insecure-registries": ["a.example"],
    runtimes: { one: { path: "/one" } },
    "log-opts": { "max-size": "1m" },
    "default-ulimits": { nofile: { Name: "nofile", Soft: 1, Hard: 2 } },
  }
  withFile(JSON.stringify(file), (path) => {
    const flags = ["--insecure-registry", "b.example", "--add-runtime", "two=/two", "--log-opt", "max-file=9"]
    const config = loadConfig(["--config-file", path, ...flags], {})
    expect(Object.keys(config.registries.hosts ?? {})).toEqual(["a.example", "b.example"])
    expect(Object.keys(config.runtimes)).toEqual(["one", "two"])
    expect(config.logOptions).toEqual({ "max-size": "1m", "max-file": "9" })
    expect(config.defaultUlimits).toEqual([{ Name: "nofile", Soft: 1, Hard: 2 }])
  })
})

test("loadConfig() reads booleans of the command line as Go's flags are written", () => {
  withFile('{"init":true,"debug":true}', (path) => {
    const config = loadConfig(["--config-file", path, "--init=false", "--debug=false", "--no-new-privileges=true"], {})
    expect(config).toMatchObject({ init: false, logLevel: "info", noNewPrivileges: true })
  })
})

import { describe, expect, test } from "bun:test"
import { hostFacts } from "../../runtime/fixtures.ts"
import { completeHostConfig } from "./host-config.ts"
import { isInit } from "./init.ts"
import { newId, newName, parseName } from "./names.ts"
import { NEW_STATE } from "./record.ts"
import { parseSignal } from "./signals.ts"
import { statusText } from "./status.ts"
import { refuseForeignPid, selectProcesses } from "./top.ts"

const facts = {
  defaultRuntime: "crun",
  knownRuntimes: ["crun", "runc"],
  host: hostFacts({ cpus: 2 }),
  init: false,
  log: { driver: "default", options: {} },
  defaults: { shmSize: 64 << 20, ipcMode: "private", cgroupnsMode: undefined },
}

describe("completeHostConfig()", () => {
  test("fills in Docker's defaults", () => {
    const { hostConfig, warnings } = completeHostConfig({}, facts)
    expect(hostConfig).toMatchObject({
      NetworkMode: "bridge",
      IpcMode: "private",
      ShmSize: 67108864,
      Runtime: "crun",
      Init: null,
      CgroupnsMode: "host",
    })
    expect(hostConfig.RestartPolicy).toEqual({ Name: "no", MaximumRetryCount: 0 })
    expect(warnings).toEqual([])
  })
  test.each([
    [{ Runtime: "kata" }, "unknown or invalid runtime name: kata"],
    [{ Memory: 1000 }, "Minimum memory limit allowed is 6MB"],
    [
      { Memory: 8 << 20, MemorySwap: 7 << 20 },
      "Minimum memoryswap limit should be larger than memory limit, see usage",
    ],
    [{ NanoCpus: 9e9 }, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
    [
      { AutoRemove: true, RestartPolicy: { Name: "always" as const } },
      "can't create 'AutoRemove' container with restart policy",
    ],
    [
      { RestartPolicy: { Name: "always" as const, MaximumRetryCount: 3 } },
      "maximum retry count can only be used with 'on-failure'",
    ],
    [{ LogConfig: { Type: "nosuch" } }, "logger: no log driver named 'nosuch' is registered"],
    [{ LogConfig: { Type: "local", Config: { "max-size": "ten" } } }, "invalid size: 'ten'"],
    [{ IpcMode: "bogus" }, "invalid IPC mode: bogus"],
    [{ Isolation: "hyperv" }, "invalid isolation (hyperv): linux only supports 'default'"],
  ])("refuses %p", (asked, message) => {
    expect(() => completeHostConfig(asked, facts)).toThrow(message)
  })
})

test("completeHostConfig() limits swap with the memory, and drops with a warning what the host cannot do", () => {
  const host = hostFacts()
  const { hostConfig, warnings } = completeHostConfig(
    { Memory: 64 << 20, BlkioWeight: 300, SecurityOpt: ["apparmor=web"] },
    { ...facts, host: { ...host, cgroup: { ...host.cgroup, blockWeight: false } } },
  )
  expect(hostConfig).toMatchObject({ MemorySwap: 128 << 20, BlkioWeight: 0 })
  expect(warnings).toEqual([
    "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
    'AppArmor is not enabled on this host: the profile "web" is not applied',
  ])
})

test("parseName() accepts a leading slash and refuses what Docker refuses", () => {
  expect(parseName("/web-1")).toBe("web-1")
  for (const bad of ["", "a", "-a", "a b", "ä", "a/b"]) expect(() => parseName(bad)).toThrow("Invalid container name")
})

test("newId() is 64 hex digits and newName() avoids what is taken", () => {
  expect(newId()).toMatch(/^[0-9a-f]{64}$/)
  expect(newName(() => false)).toMatch(/^[a-z]+_[a-z]+$/)
  let refused = 0
  expect(newName(() => refused++ < 20)).toMatch(/^[a-z]+_[a-z]+\d+$/)
})

test("parseSignal() reads names with and without SIG, numbers and real-time signals", () => {
  expect(["KILL", "SIGTERM", "9", "hup", "SIGRTMIN+3", "RTMAX"].map(parseSignal)).toEqual([9, 15, 9, 1, 37, 64])
  for (const bad of ["", "0", "NOSUCH", "SIGRTMIN-1"]) expect(() => parseSignal(bad)).toThrow("invalid signal")
  for (const bad of ["32", "65"])
    expect(() => parseSignal(bad)).toThrow(`the linux daemon does not support signal ${bad}`)
})

test("isInit() knows programs that reap", () => {
  expect(isInit("/usr/bin/tini")).toBe(true)
  expect(isInit("/sbin/init")).toBe(true)
  expect(isInit("/bin/sh")).toBe(false)
})

test("statusText() tells exit code and age", () => {
  const at = Date.parse("2026-01-01T00:01:00Z")
  expect(statusText({ ...NEW_STATE, status: "exited", exitCode: 3, finishedAt: "2026-01-01T00:00:30Z" }, at)).toBe(
    "Exited (3) 30 seconds ago",
  )
  expect(statusText(NEW_STATE)).toBe("Created")
})

test("selectProcesses() keeps the container's lines and their blanks", () => {
  const output = "UID   PID  PPID CMD\nroot   1     0 init\nroot  42     1 sh -c sleep 1\n"
  expect(selectProcesses(output, new Set([42]))).toEqual({
    Titles: ["UID", "PID", "PPID", "CMD"],
    Processes: [["root", "42", "1", "sh -c sleep 1"]],
  })
  expect(() => selectProcesses("A B\n", new Set())).toThrow("Couldn't find PID field")
})

test("selectProcesses() keeps the threads below a process of the container's", () => {
  const output =
    "  PID TTY STAT COMMAND\n    7 ?   -    sh x\n    - -   Sl   -\n    8 ?   -    other\n    - -   Sl   -\n"
  expect(selectProcesses(output, new Set([7])).Processes).toEqual([
    ["7", "?", "-", "sh x"],
    ["-", "-", "Sl", "-"],
  ])
})

test("refuseForeignPid() refuses another column under the name PID", () => {
  expect(() => refuseForeignPid("-o pid=PID,args")).not.toThrow()
  expect(() => refuseForeignPid("-eo ppid=PID")).toThrow('specifying "ppid=PID" is not allowed')
})

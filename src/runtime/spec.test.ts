import { expect, test } from "bun:test"
import { DEFAULT_CAPABILITIES } from "./capabilities.ts"
import { hostFacts, sandboxFacts, specInput } from "./fixtures.ts"
import { containerSpec, serializeProcess, serializeSpec } from "./spec.ts"

const build = (...changes: Parameters<typeof specInput>) => containerSpec(specInput(...changes)).spec

test("containerSpec() of a container that asks for nothing is Docker's default", () => {
  const { spec, warnings } = containerSpec(specInput())
  expect(warnings).toEqual([])
  expect(spec.process).toEqual({
    terminal: false,
    user: { uid: 0, gid: 0, additionalGids: [0] },
    args: ["true"],
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=box", "HOME=/root"],
    cwd: "/",
    capabilities: {
      bounding: DEFAULT_CAPABILITIES,
      effective: DEFAULT_CAPABILITIES,
      permitted: DEFAULT_CAPABILITIES,
    },
    noNewPrivileges: false,
    oomScoreAdj: 0,
  })
  expect(spec.hostname).toBe("box")
  expect(spec.root).toEqual({ path: "/rootfs", readonly: false })
  expect(spec.mounts.map((mount) => mount.destination)).toEqual([
    "/proc",
    "/dev",
    "/dev/pts",
    "/sys",
    "/sys/fs/cgroup",
    "/dev/mqueue",
    "/dev/shm",
  ])
  expect(spec.linux.namespaces).toEqual([
    { type: "mount" },
    { type: "network", path: "/run/netns/n1" },
    { type: "uts" },
    { type: "pid" },
    { type: "ipc" },
  ])
  expect(spec.linux.sysctl).toEqual({
    "net.ipv4.ping_group_range": "0 2147483647",
    "net.ipv4.ip_unprivileged_port_start": "0",
  })
  expect(spec.linux.resources).toEqual({ devices: [{ allow: false, access: "rwm" }] })
  expect(spec.linux.maskedPaths).toContain("/proc/kcore")
  expect(spec.linux.readonlyPaths).toContain("/proc/sys")
  expect(spec.linux.seccomp?.defaultAction).toBe("SCMP_ACT_ERRNO")
})

test("containerSpec() of a privileged container lifts filter, masks, read-only mounts and the capability set", () => {
  const spec = build({ hostConfig: { Privileged: true } })
  expect(spec.linux.seccomp).toBeUndefined()
  expect(spec.linux.maskedPaths).toEqual([])
  expect(spec.linux.readonlyPaths).toEqual([])
  expect(spec.process.capabilities.bounding).toHaveLength(41)
  for (const place of ["/sys", "/sys/fs/cgroup"])
    expect(spec.mounts.find((mount) => mount.destination === place)?.options).not.toContain("ro")
})

test("containerSpec() takes masked and read-only paths from HostConfig, and none for systempaths=unconfined", () => {
  expect(build({ hostConfig: { MaskedPaths: ["/a"], ReadonlyPaths: [] } }).linux).toMatchObject({
    maskedPaths: ["/a"],
    readonlyPaths: [],
  })
  expect(build({ hostConfig: { SecurityOpt: ["systempaths=unconfined"] } }).linux.maskedPaths).toEqual([])
})

test("containerSpec() puts the init before the command", () => {
  const spec = build({ init: "/usr/bin/catatonit", config: { Entrypoint: ["/run.sh"], Cmd: ["a"] } })
  expect(spec.process.args).toEqual(["/dev/init", "--", "/run.sh", "a"])
  expect(spec.mounts.at(-1)).toEqual({
    destination: "/dev/init",
    type: "bind",
    source: "/usr/bin/catatonit",
    options: ["bind", "ro"],
  })
})

test("containerSpec() leaves the host name alone in somebody else's UTS namespace", () => {
  expect(build({ uts: "host" }).hostname).toBeUndefined()
  expect(build({ uts: { path: "/proc/9/ns/uts" } }).hostname).toBeUndefined()
})

test("containerSpec() sets no network sysctls in somebody else's network", () => {
  expect(build({ network: "host" }).linux.sysctl).toEqual({})
  expect(build({ hostConfig: { NetworkMode: "container:abc" } }).linux.sysctl).toEqual({})
  expect(
    build({ hostConfig: { NetworkMode: "host", Sysctls: { "kernel.msgmax": "1" } }, network: "host" }).linux.sysctl,
  ).toEqual({
    "kernel.msgmax": "1",
  })
})

test("containerSpec() sets the domain name, terminal size and annotations", () => {
  const spec = build({
    config: { Cmd: ["sh"], Tty: true, Domainname: "example.org" },
    hostConfig: { ConsoleSize: [24, 80], Annotations: { a: "b" } },
  })
  expect(spec.linux.sysctl?.["kernel.domainname"]).toBe("example.org")
  expect(spec.process.consoleSize).toEqual({ height: 24, width: 80 })
  expect(spec.process.env).toContain("TERM=xterm")
  expect(spec.annotations).toEqual({ a: "b" })
})

test("containerSpec() cuts limits that cannot be raised, with a warning each", () => {
  const { spec, warnings } = containerSpec(
    specInput({
      host: sandboxFacts(),
      hostConfig: { Ulimits: [{ Name: "nofile", Soft: 8192, Hard: 8192 }], OomScoreAdj: -500 },
    }),
  )
  expect(spec.process.rlimits).toEqual([{ type: "RLIMIT_NOFILE", soft: 4096, hard: 4096 }])
  expect(spec.process.oomScoreAdj).toBeUndefined()
  expect(warnings).toHaveLength(2)
})

test("containerSpec() says when the kernel has no seccomp", () => {
  const { spec, warnings } = containerSpec(specInput({ host: hostFacts({ seccomp: false }) }))
  expect(spec.linux.seccomp).toBeUndefined()
  expect(warnings).toHaveLength(1)
})

test("containerSpec() refuses a container without a command", () => {
  expect(() => build({ config: {} })).toThrow("no command specified")
  expect(build({ config: { Entrypoint: [""], Cmd: ["x"] } }).process.args).toEqual(["x"])
})

test("containerSpec() lets Env replace and remove defaults", () => {
  const { env } = build({ config: { Cmd: ["x"], Env: ["PATH=/bin", "HOSTNAME", "HOME=/h", "X=1", "Y"] } }).process
  expect(env).toEqual(["PATH=/bin", "HOME=/h", "X=1"])
})

test("serializeSpec() is the spec as JSON, filter included", () => {
  for (const hostConfig of [{}, { Privileged: true }]) {
    const spec = build({ hostConfig })
    expect(JSON.parse(serializeSpec(spec))).toEqual(JSON.parse(JSON.stringify(spec)))
  }
})

test("serializeSpec() writes unlimited as the kernel's number", () => {
  const spec = build({ hostConfig: { Ulimits: [{ Name: "core", Soft: -1, Hard: -1 }] } })
  const text = '{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}'
  expect(serializeSpec(spec)).toContain(text)
  expect(serializeProcess(spec.process)).toContain(text)
})

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DOCKER_KEYS, OLD_NAMES } from "./docker-keys.ts"
import { KEYS } from "./keys.ts"
import { gatherChecked } from "./load.ts"
import { type Gathered, gather, type Sources, sourcesOf } from "./sources.ts"

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-sources-"))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function sourcesIn(docker: string, own: string, args: readonly string[] = []): Sources {
  writeFileSync(join(directory, "docker.json"), docker)
  writeFileSync(join(directory, "own.json"), own)
  const files = ["--config-file", join(directory, "own.json"), "--docker-config-file", join(directory, "docker.json")]
  return sourcesOf([...files, ...args], {})
}

function read(docker: string, own = "{}", args: readonly string[] = []): Gathered {
  return gather(sourcesIn(docker, own, args))
}

test("gather() lets dhow's file stand before Docker's, and flags before both, and says where each value is written", () => {
  const docker = '{\n  "dns": ["10.0.0.1"],\n  "labels": ["from=docker"],\n  "init": true\n}'
  const { settings } = read(docker, '{\n\n  "dns": ["10.0.0.2"]\n}', ["--init=false"])
  const [dockerFile, ownFile] = [join(directory, "docker.json"), join(directory, "own.json")]
  expect(settings.get("dns")).toEqual({ value: ["10.0.0.2"], origins: [{ Kind: "file", File: ownFile, Line: 3 }] })
  expect(settings.get("labels")?.origins).toEqual([{ Kind: "daemon.json", File: dockerFile, Line: 3 }])
  expect(settings.get("init")).toEqual({ value: false, origins: [{ Kind: "flag", Name: "--init" }] })
  expect(settings.get("log-level")?.origins).toEqual([{ Kind: "default" }])
})

test("gather() leaves Docker its own places, and names what has no effect with the reason", () => {
  const { settings, passedOver } = read(
    '{"data-root":"/var/lib/docker",\n"icc":false,\n"live-restore":true,"colour":1,\n"max-concurrent-uploads":"x"}',
  )
  expect(settings.get("data-root")?.value).toBe("/var/lib/dhow")
  expect(passedOver.map(({ key, line, reason }) => [key, line, reason])).toEqual([
    ["data-root", 1, "Docker's own place, which two engines must not share"],
    ["icc", 2, "keeping containers of the default bridge apart is not available in this version"],
    ["colour", 3, "unknown key"],
    ["max-concurrent-uploads", 4, 'expected a whole number from 0 to 1000, found "x"'],
  ])
})

test("gather() goes on without a broken file of Docker's, and says what is wrong with it", () => {
  const { settings, problem } = read('{"dns": }')
  expect(settings.get("dns")?.value).toEqual([])
  expect(problem).toContain('docker.json", line 1, column 9: expected a value, there is "}"')
})

test("gather() does not give one driver the log options that Docker's file has for another", () => {
  const docker = '{"log-driver":"syslog","log-opts":{"syslog-address":"udp://x"}}'
  expect(read(docker).settings.get("log-opts")?.value).toEqual({ "syslog-address": "udp://x" })
  expect(read('{"log-opts":{"max-size":"1m"}}').settings.get("log-opts")?.value).toEqual({ "max-size": "1m" })
  expect(read(docker, '{"log-driver":"local"}').settings.get("log-opts")?.value).toEqual({})
})

test("gatherChecked() passes over what Docker's file says and dhow cannot mean, and refuses the same in its own", () => {
  const wrong =
    '{"default-runtime":"nvidia",\n"registry-mirrors":["https://user:x@y"],\n"labels":["a=1","a=2"],"debug":true}'
  const { settings, passedOver } = gatherChecked(sourcesIn(wrong, "{}"))
  expect(passedOver.map(({ key, line }) => [key, line])).toEqual([
    ["labels", 3],
    ["default-runtime", 1],
    ["registry-mirrors", 2],
  ])
  expect(passedOver[1]?.reason).toBe("specified default runtime 'nvidia' does not exist")
  expect([settings.get("default-runtime")?.value, settings.get("debug")?.value]).toEqual(["crun", true])
  expect(() => gatherChecked(sourcesIn("{}", wrong))).toThrow(/own\.json", line 3: key "labels": conflict labels/)
})

test("gather() understands dockerd's older names", () => {
  expect(read("{}", '{"host-gateway-ip":"10.1.2.3"}').settings.get("host-gateway-ips")?.value).toEqual(["10.1.2.3"])
  expect(() => read("{}", '{"host-gateway-ip":"10.1.2.3","host-gateway-ips":["10.1.2.4"]}')).toThrow("given too")
})

test("every key of dockerd's configuration is either dhow's or has a reason", () => {
  const dockerd = `
    allow-direct-routing allow-nondistributable-artifacts api-cors-header authorization-plugins bip bip6 bridge builder
    cdi-spec-dirs cgroup-parent containerd containerd-namespace containerd-plugin-namespace cpu-rt-period cpu-rt-runtime
    cri-containerd data-root debug default-address-pools default-cgroupns-mode default-gateway default-gateway-v6
    default-init default-ipc-mode default-network-opts default-runtime default-shm-size default-ulimits
    deprecated-key-path dns dns-opts dns-search exec-opts exec-root experimental features fixed-cidr fixed-cidr-v6 group
    host-gateway-ip host-gateway-ips hosts icc init init-path insecure-registries ip ip-forward ip-forward-no-drop ip-masq
    ip6tables iptables ipv6 labels live-restore log-driver log-format log-level log-opts max-concurrent-downloads
    max-concurrent-uploads max-download-attempts metrics-addr mtu network-control-plane-mtu network-diagnostic-port
    no-new-privileges node-generic-resources pidfile proxies raw-logs registry-mirrors resolv-conf rootless runtimes
    seccomp-profile selinux-enabled shutdown-timeout storage-driver storage-opts swarm-default-advertise-addr
    swarm-raft-election-tick swarm-raft-heartbeat-tick tls tlscacert tlscert tlskey tlsverify userland-proxy
    userland-proxy-path userns-remap`
    .trim()
    .split(/\s+/)
  const known = [KEYS, DOCKER_KEYS, OLD_NAMES]
  expect(dockerd.filter((name) => !known.some((table) => Object.hasOwn(table, name)))).toEqual([])
  expect(Object.keys(DOCKER_KEYS).filter((name) => Object.hasOwn(KEYS, name))).toEqual([])
})

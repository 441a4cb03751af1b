import { expect, test } from "bun:test"
import type { ContainerInspect } from "../wire/container.ts"
import { createRequest } from "./container.ts"
import { differences } from "./differences.ts"
import { networkHash, serviceHash } from "./hash.ts"
import { containerLabels, LABEL } from "./labels.ts"
import type { Project, Service } from "./model.ts"
import { afterResources, decide, decideResources, type Observed, type ObservedContainer, orphansOf } from "./plan.ts"
import { openProject } from "./project.ts"
import { resolveReferences } from "./references.ts"

function open(yaml: string): Project {
  const files = { read: (path: string) => (path === "/app/compose.yaml" ? yaml : undefined) }
  return openProject({ files, directory: "/app", environment: {} })
}

const project = open("services: {web: {image: x, scale: 2, volumes: ['v:/v']}}\nvolumes: {v: {}}")
const web = project.services["web"]!

function container(number: number, more: Partial<ObservedContainer> = {}): ObservedContainer {
  const labels = { ...containerLabels(project, web, { number, image: "sha256:1", version: "0" }) }
  return {
    id: `id${number}`,
    name: `app-web-${number}`,
    service: "web",
    number,
    isOneOff: false,
    state: "running",
    labels,
    networks: ["n1"],
    networkNames: ["app_default"],
    volumes: ["app_v"],
    ...more,
  }
}

function observed(containers: readonly ObservedContainer[], more: Partial<Observed> = {}): Observed {
  return {
    containers,
    networks: new Map([
      ["app_default", { id: "n1", labels: { [LABEL.hash]: networkHash(project.networks["default"]!) } }],
    ]),
    volumes: new Map([["app_v", { labels: {} }]]),
    ...more,
  }
}

const decided = (
  containers: readonly ObservedContainer[],
  more: Partial<Parameters<typeof decide>[2]> = {},
): unknown[] =>
  decide(project, web, { observed: observed(containers), recreate: "diverged", image: "sha256:1", ...more }).map(
    (one) =>
      one.action === "create"
        ? `create ${one.number}`
        : `${one.action} ${one.container.number}${one.action === "recreate" ? ` ${one.why.join()}` : ""}`,
  )

test("decide() creates what is missing with numbers that were never used, and keeps what is right", () => {
  expect(decided([])).toEqual(["create 1", "create 2"])
  expect(decided([container(1), container(2)])).toEqual(["keep 1", "keep 2"])
  expect(decided([container(4)])).toEqual(["keep 4", "create 5"])
  expect(decided([container(1, { isOneOff: true })])).toEqual(["create 1", "create 2"])
})

test("decide() removes the highest number when there are too many, and what has changed before it", () => {
  expect(decided([container(3), container(1), container(2)])).toEqual(["keep 1", "keep 2", "remove 3"])
  const old = container(1, { labels: { ...container(1).labels, [LABEL.hash]: "other" } })
  expect(decided([old, container(2), container(3)])).toEqual(["keep 2", "keep 3", "remove 1"])
})

test("decide() says why a container has to be made again", () => {
  const with1 = (more: Partial<ObservedContainer>): unknown => decided([container(1, more), container(2)])[1]
  const labels = (name: string): ObservedContainer["labels"] => ({ ...container(1).labels, [name]: "other" })
  expect(with1({ labels: labels(LABEL.hash) })).toBe("recreate 1 configuration")
  expect(with1({ labels: labels(LABEL.image) })).toBe("recreate 1 image")
  expect(with1({ networks: ["n0"] })).toBe("recreate 1 network")
  expect(with1({ networks: [], networkNames: [], state: "exited" })).toBe("recreate 1 network")
  expect(with1({ volumes: [] })).toBe("recreate 1 volume")
  expect(decided([container(1), container(2)], { recreate: "force" })).toEqual([
    "recreate 1 forced",
    "recreate 2 forced",
  ])
  expect(decided([container(1, { labels: {} }), container(2)], { recreate: "never" })).toEqual(["keep 1", "keep 2"])
})

test("decideResources() creates what is missing and makes anew what differs; what is external is left alone", () => {
  const other = open(
    "services: {web: {image: x, networks: [a, b], volumes: ['v:/v']}}\nnetworks: {a: {internal: true}, b: {external: true}}\nvolumes: {v: {}}",
  )
  const there = observed([], {
    networks: new Map([["app_a", { id: "1", labels: { [LABEL.hash]: "other" } }]]),
    volumes: new Map(),
  })
  expect(decideResources(other, there).map(({ action, name }) => `${action} ${name}`)).toEqual([
    "recreate app_a",
    "create app_v",
  ])
  const after = afterResources(observed([container(1, { networkNames: ["app_a"] })]), decideResources(other, there))
  expect(after.containers[0]!.networkNames).toEqual([])
})

test("orphansOf() are containers of services that are gone, not of those whose profile is off", () => {
  const others = [
    container(1, { service: "gone" }),
    container(2, { service: "off" }),
    container(3, { service: "gone", isOneOff: true }),
  ]
  expect(orphansOf({ ...project, disabled: { off: web } }, observed(others)).map(({ id }) => id)).toEqual(["id1"])
})

test("serviceHash() is docker compose's, and leaves out what makes no other container", () => {
  const hash = serviceHash(web)
  expect(
    serviceHash(
      open("services: {web: {image: x, build: ., depends_on: [b], profiles: []}, b: {image: y}}").services["web"]!,
    ),
  ).toBe(serviceHash(open("services: {web: {image: x}}").services["web"]!))
  expect(serviceHash({ ...web, scale: 5, pull_policy: "always" })).toBe(hash)
  expect(serviceHash({ ...web, tty: true })).not.toBe(hash)
})

test("resolveReferences() needs the container that is shared", () => {
  const service: Service = { name: "a", network_mode: "service:b", volumes_from: ["b:ro", "container:c"] }
  expect(resolveReferences(service, () => "ID")).toMatchObject({
    network_mode: "container:ID",
    volumes_from: ["ID:ro", "c"],
  })
  expect(() => resolveReferences(service, () => undefined)).toThrow(
    "cannot share network namespace with service b: container missing",
  )
})

const request = (yaml: string): ReturnType<typeof createRequest> => {
  const opened = open(yaml)
  const service = Object.values(opened.services)[0]!
  return createRequest(opened, service, {
    name: "app-a-1",
    labels: {},
    aliases: ["a"],
    links: [],
    readFile: () => '{"x": 1}',
  })
}

test("createRequest() says what the Engine API has for each field", () => {
  const made = request(`
services:
  a:
    image: x
    entrypoint: []
    environment: {A: 1, B: }
    expose: ["90-91/udp"]
    ports: ["127.0.0.1:80:8080", "9000-9001:1"]
    volumes: [".:/src:ro,z", "v:/v", /anon, {type: bind, source: /h, target: /h, bind: {create_host_path: false, propagation: rshared}}, {type: volume, source: v, target: /s, volume: {subpath: d}}, {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}]
    secrets: [s]
    stop_grace_period: 1m30s
    healthcheck: {test: "x", interval: 5s, retries: 2}
    restart: on-failure:3
    cpus: 0.5
    mem_limit: 64m
    ulimits: {nofile: 5, core: {soft: 0, hard: 1}}
    tmpfs: ["/run:size=1m", /x]
    extra_hosts: ["h:1.1.1.1"]
    security_opt: ["seccomp:p.json", "systempaths=unconfined"]
    devices: ["/dev/null:/dev/n:r", "vendor.com/class=one"]
    gpus: all
    logging: {driver: json-file, options: {max-size: 1m}}
    networks: {n: {aliases: [q], ipv4_address: 10.0.0.5, mac_address: "02:00:00:00:00:01"}, m: {priority: 5}}
volumes: {v: {}}
networks: {n: {}, m: {}}
secrets: {s: {file: ./s}}`)
  expect(made).toMatchObject({
    Image: "x",
    Entrypoint: [],
    Env: ["A=1", "B"],
    ExposedPorts: { "90/udp": {}, "91/udp": {}, "8080/tcp": {}, "1/tcp": {} },
    StopTimeout: 90,
    Healthcheck: { Test: ["CMD-SHELL", "x"], Interval: 5e9, Retries: 2 },
    NetworkingConfig: {
      EndpointsConfig: {
        app_m: { Aliases: ["app-a-1", "a"] },
        app_n: {
          Aliases: ["app-a-1", "a", "q"],
          IPAMConfig: { IPv4Address: "10.0.0.5" },
          MacAddress: "02:00:00:00:00:01",
        },
      },
    },
  })
  expect(made.HostConfig).toMatchObject({
    NetworkMode: "app_m",
    Binds: ["/app:/src:ro,z", "app_v:/v:rw"],
    PortBindings: {
      "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "80" }],
      "1/tcp": [{ HostIp: "", HostPort: "9000-9001" }],
    },
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
    NanoCpus: 5e8,
    Memory: 64 * 1024 * 1024,
    Ulimits: [
      { Name: "nofile", Soft: 5, Hard: 5 },
      { Name: "core", Soft: 0, Hard: 1 },
    ],
    Tmpfs: { "/run": "size=1m", "/x": "" },
    ExtraHosts: ["h:1.1.1.1"],
    SecurityOpt: ['seccomp={"x":1}'],
    MaskedPaths: [],
    Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/n", CgroupPermissions: "r" }],
    DeviceRequests: [
      { Driver: "cdi", DeviceIDs: ["vendor.com/class=one"] },
      { Count: -1, Capabilities: [["gpu"]] },
    ],
    LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
  })
  expect(made.HostConfig!.Mounts).toEqual([
    { Type: "volume", Target: "/anon", VolumeOptions: {} },
    { Type: "bind", Source: "/h", Target: "/h", BindOptions: { Propagation: "rshared", CreateMountpoint: false } },
    { Type: "volume", Source: "app_v", Target: "/s", VolumeOptions: { Subpath: "d" } },
    { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 1048576, Mode: 448 } },
    { Type: "bind", Source: "/app/s", Target: "/run/secrets/s", ReadOnly: true, BindOptions: {} },
  ])
})

test("createRequest() refuses secrets that only a swarm has", () => {
  expect(() => request("services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {external: true}}")).toThrow(
    "unsupported external secret s",
  )
})

test("differences() names the fields in which a container differs", () => {
  const before = request(
    "services: {a: {image: x, command: one, environment: {A: 1, B: 2}, labels: {l: 1}, ports: ['80:80']}}",
  )
  const now = request(
    "services: {a: {image: x, command: two, environment: {A: 1, B: 3, C: 4}, labels: {m: 1}, ports: ['81:80'], tty: true}}",
  )
  const inspect = {
    Config: { ...before, Env: [...before.Env!, "PATH=/bin"], Labels: { ...before.Labels, l: "1" } },
    HostConfig: before.HostConfig,
    NetworkSettings: { Networks: { app_default: {} } },
  } as unknown as ContainerInspect
  const image = { Env: ["PATH=/bin"] }
  expect(differences({ ...before, Labels: { l: "1" } }, inspect, image)).toEqual([])
  expect(differences({ ...now, Labels: { m: "1" } }, inspect, image)).toEqual([
    "environment.B",
    "environment.C",
    "labels.m",
    "labels.l",
    "command",
    "tty",
    "ports",
  ])
})

// services.*: every field of a service, in the order of the canonical form.
import { mountedKey, pathKey, portKey, targetKey, wholeKey } from "../keys.ts"
import { bytes, decimal, flag, matching, oneOf, path, port, text, time, whole, word } from "../leaves.ts"
import { type Node, scalar } from "../node.ts"
import { keep, list, map, type ObjectShape, object, type Shape } from "../shape.ts"
import { longHosts, longPorts, longTest, short, startedDependency } from "../short.ts"
import { build } from "./build.ts"
import { command, device, environment, hook, names, oneOrMore, options, pairs, set, texts } from "./common.ts"
import { deploy } from "./deploy.ts"
import { fileMount, hostDevice, mount, secretMount, ulimits } from "./mounts.ts"

const rate = list(object({ path: text, rate: bytes }, { closed: true, capital: true }))

const allDevices = (node: Node): Node => ({ ...scalar("all", node.place) })

const gpu = object(device.fields, {
  short: (node) =>
    node.kind === "scalar" && node.value === "all"
      ? {
          kind: "mapping",
          entries: new Map([["count", { place: node.place, node: allDevices(node) }]]),
          place: node.place,
        }
      : undefined,
  defaults(fields, node) {
    if (!fields.has("count") && !fields.has("device_ids")) fields.set("count", scalar(-1, node.place))
  },
})

const dependency = object(
  {
    condition: oneOf("service_started", "service_healthy", "service_completed_successfully"),
    restart: flag,
    required: keep(flag),
  },
  {
    defaults(fields, node) {
      if (!fields.has("condition")) fields.set("condition", scalar("service_started", node.place))
      if (!fields.has("required")) fields.set("required", scalar(true, node.place))
    },
  },
)

const endpoint = object({
  aliases: set,
  driver_opts: options,
  gw_priority: whole,
  interface_name: text,
  ipv4_address: text,
  ipv6_address: text,
  link_local_ips: set,
  mac_address: text,
  priority: whole,
})

const published = object(
  { name: text, mode: text, host_ip: text, target: port, published: word, protocol: text, app_protocol: text },
  {
    required: ["target"],
    defaults(fields, node) {
      if (!fields.has("protocol")) fields.set("protocol", scalar("tcp", node.place))
      if (!fields.has("mode")) fields.set("mode", scalar("ingress", node.place))
    },
  },
)

export const watch = object(
  {
    path,
    action: oneOf("rebuild", "sync", "restart", "sync+restart", "sync+exec"),
    target: text,
    exec: hook,
    include: list(text, { single: true }),
    ignore: list(text, { single: true }),
    initial_sync: flag,
  },
  { required: ["path", "action"] },
)

const healthcheck = object({
  test: list(text, { replace: true, from: longTest }),
  timeout: keep(time),
  interval: keep(time),
  retries: keep(whole),
  start_period: keep(time),
  start_interval: keep(time),
  disable: flag,
})

const envFile = object(
  { path, required: keep(flag), format: text },
  {
    closed: true,
    short: short("path"),
    defaults(fields, node) {
      if (!fields.has("required")) fields.set("required", scalar(true, node.place))
    },
  },
)

const fields: Readonly<Record<string, Shape>> = {
  profiles: set,
  annotations: pairs,
  attach: keep(flag),
  build,
  develop: object({ watch: list(watch) }),
  blkio_config: object(
    {
      weight: whole,
      weight_device: list(object({ path: text, weight: whole }, { closed: true, capital: true })),
      device_read_bps: rate,
      device_read_iops: rate,
      device_write_bps: rate,
      device_write_iops: rate,
    },
    { closed: true },
  ),
  cap_add: set,
  cap_drop: set,
  cgroup_parent: text,
  cgroup: oneOf("host", "private"),
  cpu_count: whole,
  cpu_percent: decimal,
  cpu_period: whole,
  cpu_quota: whole,
  cpu_rt_period: whole,
  cpu_rt_runtime: whole,
  cpus: decimal,
  cpuset: text,
  cpu_shares: whole,
  command,
  configs: list(fileMount, { key: mountedKey("") }),
  container_name: matching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/, "a container's name"),
  credential_spec: object({ config: text, file: text, registry: text }),
  depends_on: map(dependency, { names, named: startedDependency }),
  deploy,
  device_cgroup_rules: texts,
  devices: list(hostDevice, { key: targetKey }),
  dns: oneOrMore,
  dns_opt: set,
  dns_search: oneOrMore,
  domainname: text,
  entrypoint: command,
  provider: object({ type: text, options: map(list(word, { single: true })) }, { required: ["type"] }),
  environment,
  env_file: list(envFile, { single: true, key: pathKey }),
  expose: list(word, { key: wholeKey }),
  extends: object({ file: text, service: text }, { closed: true, short: short("service"), required: ["service"] }),
  external_links: texts,
  extra_hosts: list(text, { from: longHosts, key: wholeKey }),
  group_add: list(word),
  gpus: list(gpu, { single: true }),
  hostname: text,
  healthcheck,
  image: text,
  init: keep(flag),
  ipc: text,
  isolation: text,
  labels: pairs,
  label_file: list(path, { single: true }),
  links: set,
  logging: object({ driver: text, options }, { unless: "driver" }),
  mem_limit: bytes,
  mem_reservation: bytes,
  memswap_limit: bytes,
  mem_swappiness: bytes,
  mac_address: text,
  models: map(object({ endpoint_var: text, model_var: text }), {
    names,
    nullable: true,
    named: (name) => scalar(null, name.place),
  }),
  network_mode: text,
  networks: map(endpoint, { names, nullable: true, named: (name) => scalar(null, name.place) }),
  oom_kill_disable: flag,
  oom_score_adj: whole,
  pid: text,
  pids_limit: whole,
  platform: text,
  ports: list(published, { long: longPorts, key: portKey }),
  privileged: flag,
  pull_policy: matching(
    /^(?:always|never|build|if_not_present|missing|refresh|daily|weekly|every_(?:\d+[wdhms])+)$/,
    'a pull policy such as "always", "missing", "never", "build", "daily" or "every_12h"',
  ),
  read_only: flag,
  restart: text,
  runtime: text,
  scale: keep(whole),
  secrets: list(secretMount, { key: mountedKey("/run/secrets") }),
  security_opt: texts,
  shm_size: bytes,
  stdin_open: flag,
  stop_grace_period: keep(time),
  stop_signal: text,
  storage_opt: options,
  sysctls: pairs,
  tmpfs: oneOrMore,
  tty: flag,
  ulimits,
  use_api_socket: flag,
  user: text,
  userns_mode: text,
  uts: text,
  volumes: list(mount, { key: targetKey }),
  volumes_from: texts,
  working_dir: text,
  post_start: list(hook),
  pre_stop: list(hook),
}

export const service: ObjectShape = object(fields, { what: "a service" })

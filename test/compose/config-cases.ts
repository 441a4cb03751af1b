// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are variables of compose files
// Compose files that the built-in implementation and docker's plugin have to understand alike.

export type ConfigCase = {
  readonly files: Readonly<Record<string, string>>
  readonly flags?: readonly string[]
  /** Services whose hashes are compared: the plugin's `config` hashes those with env_file in another way than its `up`. */
  readonly hashed?: string
  readonly environment?: Readonly<Record<string, string>>
}

const EVERYTHING = `
services:
  web:
    image: busybox
    command: sleep 100 "a b"
    environment: [A=1, B, "C=$$x"]
    ports: ["8080:80", "127.0.0.1:9000-9001:90-91/udp", 70, "3001-3003", "[::1]:81:81", {target: 99, published: 8000-9000}]
    volumes: [".:/src:ro", "data:/data", /anon, "./rel/:/y/:z", {type: tmpfs, target: /t2, tmpfs: {size: 10m, mode: 0755}}]
    depends_on: [db]
    healthcheck: {test: "true", interval: 1m30s, timeout: 1500ms, retries: 3}
    deploy:
      replicas: 2
      labels: {a: b}
      placement: {constraints: [x]}
      update_config: {parallelism: 1, delay: 10s, order: start-first}
      restart_policy: {condition: on-failure, max_attempts: 3, delay: 5s}
      resources:
        limits: {cpus: '0.5', memory: 50M, pids: 10}
        reservations: {memory: 20M, devices: [{capabilities: [gpu], count: 1}]}
    secrets: [s1, {source: s2, target: /two, mode: 0400, uid: "1"}]
    configs: [{source: c1, target: /c1, mode: 0440}]
    labels: {x: 1, y: true, z: }
    ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5, core: {soft: 0, hard: 0}}
    extra_hosts: ["a:1.2.3.4", "b=5.6.7.8", "c=::1"]
    tmpfs: /t
    dns: 1.1.1.1
    build:
      context: ./b
      args: {A: 1, HOME: }
      target: t
      additional_contexts: [x=./y, z=docker-image://a]
      cache_from: [a]
      ssh: [default]
      labels: [l=1]
      platforms: [linux/amd64]
      secrets: [s1]
      shm_size: 1m
      extra_hosts: [a=1.1.1.1]
    stop_grace_period: 25h
    x-foo: {b: 1, a: [2]}
    blkio_config: {weight: 10, device_read_bps: [{path: /dev/sda, rate: 1mb}]}
    devices: ["/dev/null:/dev/x"]
    sysctls: [net.a=1]
    networks: {default: {aliases: [q]}, other: {ipv4_address: 10.9.0.5, priority: 5}}
    logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}
    gpus: all
  db:
    image: busybox
    init: true
    shm_size: 1gb
    cpus: 0.1
    mem_limit: 50m
    memswap_limit: -1
    entrypoint: []
    expose: [80, "90-92"]
    group_add: [audio, 5]
    pid: host
    read_only: true
    privileged: false
    security_opt: [no-new-privileges:true]
    stdin_open: true
    stop_signal: SIGINT
    oom_score_adj: -500
    pids_limit: 5
    platform: linux/amd64
    scale: 3
    develop: {watch: [{path: ./src, action: sync, target: /app, ignore: [node_modules]}]}
    post_start: [{command: "echo hi", user: root}]
    annotations: {a.b: c}
    attach: false
    volumes_from: [third:ro]
    environment: {F: 1.50, G: 010, H: yes, I: 1e3, J: 0x10, K: "", L: 08}
  third: {image: busybox, network_mode: host, command: "", pull_policy: if_not_present, links: []}
secrets: {s1: {file: ./s1}, s2: {environment: HOME}}
configs: {c1: {content: "hello $$x"}}
volumes: {data: {driver: local, driver_opts: {type: none, o: bind, device: ./dev}, labels: [a=b]}, unused: {}}
networks: {other: {driver: bridge, internal: true, driver_opts: {mtu: 1400}, ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.1}]}}}
x-top: 1
`

const BASE = `
name: proj\${SUF:-x}
include:
  - inc/compose.yaml
  - path: [inc/b.yaml, inc/b2.yaml]
    env_file: inc/b.env
x-common: &common
  restart: unless-stopped
  environment: &env {LOG: info, LEVEL: 1}
services:
  app:
    <<: *common
    image: app:\${TAG-latest}
    environment:
      <<: *env
      LEVEL: 2
    extends: {file: sub/base.yaml, service: base}
    profiles: [dev, prod]
    command: sh -c 'echo "hi $$USER" \\a'
    depends_on:
      db: {condition: service_healthy, restart: true}
      cache: {condition: service_completed_successfully, required: false}
  db:
    image: pg
    healthcheck: {disable: true}
    networks: [a, b]
    cap_add: [NET_ADMIN]
    secrets: [tok]
    deploy: {resources: {limits: {memory: 1g}}}
  cache:
    image: redis
    logging: {driver: json-file, options: {max-size: 1m}}
  db2:
    image: pg
    links: [db:database]
    dns: [8.8.8.8]
    ports: ["80:80"]
    volumes: ["./rel:/rel:rw,z"]
    tmpfs: [/run]
    label_file: ./lab
networks: {a: {}, b: {external: true, name: other}}
secrets: {tok: {environment: TOK}}
`

const MERGED: Readonly<Record<string, string>> = {
  "compose.yaml": BASE,
  "over.yaml": `
services:
  db:
    networks: !reset null
    cap_add: !override [SYS_TIME]
    deploy: {resources: {limits: {memory: 2g}}}
    secrets: [{source: tok, target: /tt}]
  db2:
    tmpfs: /more
    volumes: ["./other:/rel"]
    ports: !reset []
    environment: [NEW=1]
    dns: [1.1.1.1]
  cache:
    logging: {driver: syslog}
`,
  "sub/base.yaml": `
services:
  base:
    extends: root
    build: ./ctx
    env_file: [./x.env, {path: ./none.env, required: false}]
    volumes: ["./data:/data"]
    labels: [a=1, b]
    ports: ["3000"]
  root:
    image: root
    environment: {FROM: root, LEVEL: 0}
    cap_drop: [ALL]
    healthcheck: {test: [CMD, x, "<&>"], interval: 5s}
`,
  "sub/x.env": `X=1\nY="a\\nb $X"\nZ='raw $X' # c\nexport W=\${Q:-d} # c\nV=a#b\n#comment\nHOME\n`,
  "inc/compose.yaml": `
services:
  inced: {image: "inc:\${INCV}", volumes: [./here:/here, nn:/n], depends_on: [db]}
volumes: {nn: {}}
`,
  "inc/.env": "INCV=fromincenv\n",
  "inc/b.env": "BV=5\n",
  "inc/b.yaml": "services:\n  bsvc:\n    image: b:${BV}\n    command: [x]\n",
  "inc/b2.yaml": "services:\n  bsvc:\n    command: [y, z]\n    environment: [A=1]\n",
  ".env": "TAG=5\nSUF=yy\n",
  lab: "lx=1\n",
}

export const CONFIG_CASES: Readonly<Record<string, ConfigCase>> = {
  "every short and long form": { files: { "compose.yaml": EVERYTHING } },
  "everything of a file, with what nobody uses": { files: { "compose.yaml": EVERYTHING }, flags: ["--all-resources"] },
  "include, extends, anchors and profiles": {
    files: MERGED,
    flags: ["-f", "compose.yaml"],
    hashed: "cache,db,inced,bsvc",
  },
  "two files with !reset and !override": {
    files: MERGED,
    flags: ["-f", "compose.yaml", "-f", "over.yaml", "--profile", "dev"],
    hashed: "cache,db,inced,bsvc",
    environment: { TAG: "outer" },
  },
  "every operator of interpolation": {
    files: {
      "compose.yaml":
        'services:\n  a:\n    image: x\n    environment:\n      A: ${V}|${V:-d}|${V-d}|${V:+p}|${V+p}|${V:?e}\n      B: ${E:-d}|${E-d}|${E:+p}|${E+p}|${E?e}\n      C: ${N:-d}|${N-d}|${N:+p}|${N+p}|${N:-${V:-x}}|${N:-$$V}|$$N|$V\n      D: \'${N:-{"k":{"v":1}}}\'\n',
    },
    environment: { V: "v", E: "" },
  },
}

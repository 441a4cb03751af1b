// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are variables of compose files
import { expect, test } from "bun:test"
import type { Project } from "./model.ts"
import { inOrder, withDependencies } from "./order.ts"
import { findProject, type OpenOptions, openProject, projectName } from "./project.ts"
import { renderProject } from "./render.ts"

type Disk = Readonly<Record<string, string>>

function options(disk: Disk, more: Partial<OpenOptions> = {}): OpenOptions {
  const files = { read: (path: string) => disk[path] }
  return { files, directory: "/app", environment: {}, ...more }
}

const open = (disk: Disk, more: Partial<OpenOptions> = {}): Project => openProject(options(disk, more))
const one = (yaml: string, more: Partial<OpenOptions> = {}): Project => open({ "/app/compose.yaml": yaml }, more)

test("openProject() merges files by the specification's rules", () => {
  const project = open(
    {
      "/app/a.yaml": `
services:
  web:
    image: a
    command: [one, two]
    environment: {A: 1, B: 2, C: 3}
    ports: ["80:80", "81:81"]
    volumes: ["./x:/x", "data:/data"]
    dns: 1.1.1.1
    depends_on: [db]
    healthcheck: {test: [CMD, a], interval: 5s}
    logging: {driver: json-file, options: {max-size: 1m}}
    labels: [l=1]
    cap_add: [A, B]
  db: {image: d}
volumes: {data: {}}`,
      "/app/b.yaml": `
services:
  web:
    image: b
    command: three
    environment: [B=9, D=4, C]
    ports: ["80:80", !override {target: 5, published: 6}]
    volumes: ["./y:/x:ro"]
    dns: [2.2.2.2]
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: b}
    logging: {driver: syslog}
    cap_add: !override [C]
    labels: !reset []`,
    },
    { paths: ["a.yaml", "b.yaml"], environment: { C: "outside" } },
  )
  const { web } = project.services
  expect(web).toMatchObject({
    image: "b",
    command: ["three"],
    environment: { A: "1", B: "9", C: "outside", D: "4" },
    dns: ["1.1.1.1", "2.2.2.2"],
    depends_on: { db: { condition: "service_healthy", required: true } },
    healthcheck: { test: ["CMD-SHELL", "b"], interval: "5s" },
    logging: { driver: "syslog" },
    cap_add: ["C"],
  })
  expect(web!.ports!.map(({ published, target }) => `${published}:${target}`)).toEqual(["80:80", "81:81", "6:5"])
  expect(web!.volumes!.map(({ source, target, read_only }) => [source, target, read_only])).toEqual([
    ["/app/y", "/x", true],
    ["data", "/data", undefined],
  ])
  expect(web!.labels).toBeUndefined()
  expect(web!.logging!.options).toBeUndefined()
})

test.each([
  [
    "services: {a: {image: x, imag: y}}",
    'compose.yaml:1:26: unknown key "imag" in services.a',
    'Did you mean "image"?',
  ],
  [
    "services:\n  a:\n    image: x\n    ports: [80, {targt: 1}]",
    'compose.yaml:4:18: unknown key "targt" in services.a.ports[1]',
    undefined,
  ],
  ["servces: {}", 'compose.yaml:1:1: unknown key "servces"', 'Did you mean "services"?'],
  ["services: {a: {image: [x]}}", "services.a.image has to be a string", undefined],
  ["services: {a: {image: x, privileged: maybe}}", 'services.a.privileged: "maybe" is not a boolean', undefined],
  ["services: {a: {image: x, mem_limit: 5q}}", "services.a.mem_limit: invalid suffix: 'q'", undefined],
  ["services: {a: {image: x, ports: [a]}}", "services.a.ports[0]: invalid containerPort: a", undefined],
  ["services: {a: {image: x, volumes: [{type: bind}]}}", 'services.a.volumes[0] needs "target"', undefined],
  ["services: {a: {image: x, volumes: ['a::b']}}", "empty section between colons", undefined],
  ["services: {a: {image: x, stop_grace_period: 5}}", "services.a.stop_grace_period", undefined],
  ["services: {a b: {image: x}}", '"a b" is no valid name in services', undefined],
  ["services: {a: }", "services.a has to be a mapping", undefined],
  ["services: {a: {}}", 'service "a" has neither an image nor a build context specified', undefined],
  [
    "services: {a: {image: x, depends_on: [b]}}",
    'compose.yaml:1:39: service "a" depends on undefined service "b"',
    undefined,
  ],
  ["services: {a: {image: x, networks: [n]}}", 'service "a" refers to undefined network n', undefined],
  ["services: {a: {image: x, volumes: ['v:/v']}}", 'service "a" refers to undefined volume v', undefined],
  ["services: {a: {image: x, secrets: [s]}}", 'service "a" refers to undefined secret s', undefined],
  ["services: {a: {image: x, network_mode: host, networks: [default]}}", "mutually exclusive", undefined],
  ["services: {a: {image: x, scale: 2, container_name: cc}}", "container name must be unique", undefined],
  ["services: {a: {image: x, tmpfs: /a, volumes: [/a]}}", "target /a already mounted", undefined],
  ["services: {a: {image: x, healthcheck: {test: [x]}}}", "must start either by", undefined],
  ["services: {a: {image: x}}\nsecrets: {s: {file: a, environment: B}}", "mutually exclusive", undefined],
  ["services: {a: {image: x}}\nsecrets: {s: {}}", "one of file|environment must be set", undefined],
  ["[a]", "the file has to be a mapping", undefined],
  [
    "services: {a: {image: '${X:?say}'}}",
    "error while interpolating services.a.image: required variable X is missing a value: say",
    undefined,
  ],
])("openProject() refuses %j", (yaml, message, hint) => {
  let error: unknown
  try {
    one(yaml, { keepUnused: true })
  } catch (caught) {
    error = caught
  }
  expect((error as Error | undefined)?.message).toContain(message)
  if (hint !== undefined) expect((error as { hint?: string }).hint).toBe(hint)
})

test("openProject() says everything that is wrong at once", () => {
  let hint = ""
  try {
    one("services:\n  a: {image: x, foo: 1}\n  b: {image: x, bar: 2}")
  } catch (error) {
    hint = (error as { hint?: string }).hint ?? ""
  }
  expect(hint).toContain('compose.yaml:3:17: unknown key "bar" in services.b')
})

test("openProject() finds circles of extends, include and depends_on", () => {
  expect(() => one("services: {a: {extends: b}, b: {extends: a}}")).toThrow("services.a extends itself")
  expect(() => one("services: {a: {extends: {service: a, file: compose.yaml}}}")).toThrow("extends itself")
  expect(() => one("include: [compose.yaml]\nservices: {}")).toThrow(
    "include cycle: /app/compose.yaml -> /app/compose.yaml",
  )
  expect(() =>
    open({
      "/app/compose.yaml": "include: [b/c.yaml]",
      "/app/b/c.yaml": "include: [../d.yaml]",
      "/app/d.yaml": "include: [b/c.yaml]",
    }),
  ).toThrow("include cycle: /app/compose.yaml -> /app/b/c.yaml -> /app/d.yaml -> /app/b/c.yaml")
  expect(() =>
    one("services: {a: {image: x, depends_on: [b]}, b: {image: x, links: [c]}, c: {image: x, ipc: 'service:a'}}"),
  ).toThrow("dependency cycle detected: a -> b -> c -> a")
})

test("openProject() says what extends and include do not find", () => {
  expect(() => one("services: {a: {extends: b}}")).toThrow('cannot extend service "a": service "b" not found')
  expect(() => one("services: {a: {extends: {service: b, file: x.yaml}}}")).toThrow("open /app/x.yaml: no such file")
  expect(() => one("include: [x.yaml]")).toThrow("open /app/x.yaml: no such file")
  expect(() => one("include: ['https://x.test/c.yaml']")).toThrow("is not on this machine")
  expect(() => one("include: [{path: x.yaml, env_file: y.env}]")).toThrow('the env file "/app/y.env" does not exist')
})

test("openProject() reads paths from where their file is", () => {
  const project = open({
    "/app/compose.yaml":
      "include: [{path: sub/c.yaml, env_file: v.env}]\nservices: {a: {extends: {service: b, file: lib/l.yaml}}}",
    "/app/sub/c.yaml": "services: {s: {image: 'i:${V}', volumes: ['./d:/d']}}",
    "/app/v.env": "V=3",
    "/app/lib/l.yaml": "services: {b: {extends: c, env_file: e.env, volumes: ['./d:/d']}, c: {image: x, build: ./ctx}}",
    "/app/lib/e.env": "E=1",
  })
  expect(project.services["s"]).toMatchObject({ image: "i:3", volumes: [{ source: "/app/sub/d" }] })
  expect(project.services["a"]).toMatchObject({
    image: "x",
    build: { context: "/app/lib/ctx" },
    volumes: [{ source: "/app/lib/d" }],
    environment: { E: "1" },
  })
})

test("openProject() lets what a file says win over what it includes", () => {
  const project = open({
    "/app/compose.yaml": "include: [sub/c.yaml]\nservices: {s: {environment: {A: own}}}",
    "/app/sub/c.yaml": "services: {s: {image: i, environment: {A: theirs, B: theirs}}}",
  })
  expect(project.services["s"]).toMatchObject({ image: "i", environment: { A: "own", B: "theirs" } })
})

test("env_file that is missing is an error unless it is not required", () => {
  expect(() => one("services: {a: {image: x, env_file: no.env}}")).toThrow("env file /app/no.env not found")
  expect(
    one("services: {a: {image: x, env_file: {path: no.env, required: false}}}").services["a"]!.environment,
  ).toBeUndefined()
})

test("profiles decide what is on; a named service and COMPOSE_PROFILES switch them", () => {
  const yaml = "services: {a: {image: x}, b: {image: x, profiles: [p]}, c: {image: x, profiles: [q], depends_on: [b]}}"
  expect(Object.keys(one(yaml).services)).toEqual(["a"])
  expect(Object.keys(one(yaml, { profiles: ["p"] }).services)).toEqual(["a", "b"])
  expect(Object.keys(one(yaml, { profiles: ["*"] }).services)).toEqual(["a", "b", "c"])
  expect(Object.keys(one(yaml, { environment: { COMPOSE_PROFILES: "p,q" } }).services)).toEqual(["a", "b", "c"])
  expect(Object.keys(one(yaml, { named: ["b"] }).services)).toEqual(["a", "b"])
  expect(() => one(yaml, { profiles: ["q"] })).toThrow('depends on undefined service "b"')
})

test("the project's name comes from the flag, the environment, the file or the directory", () => {
  const name = (yaml: string, more: Partial<OpenOptions> = {}): string => {
    const all = options({ "/My App_1/compose.yaml": yaml }, { directory: "/My App_1", ...more })
    return projectName(all, findProject(all))
  }
  expect(name("services: {}")).toBe("myapp_1")
  expect(name("name: a${X:-b}\nservices: {}")).toBe("ab")
  expect(name("name: f", { environment: { COMPOSE_PROJECT_NAME: "env" } })).toBe("env")
  expect(name("name: f", { environment: { COMPOSE_PROJECT_NAME: "env" }, name: "flag" })).toBe("flag")
  expect(() => name("", { name: "Bad" })).toThrow('invalid project name "Bad"')
})

test("findProject() looks upwards, takes the override file, COMPOSE_FILE and .env", () => {
  const disk = {
    "/app/compose.yaml": "services: {a: {image: '${TAG}'}}",
    "/app/compose.override.yaml": "services: {a: {tty: true}}",
    "/app/.env": "TAG=t",
  }
  expect(findProject(options(disk, { directory: "/app/deep/er" })).paths).toEqual([
    "/app/compose.yaml",
    "/app/compose.override.yaml",
  ])
  expect(open(disk).services["a"]).toMatchObject({ image: "t", tty: true })
  expect(open(disk, { environment: { TAG: "outer" } }).services["a"]!.image).toBe("outer")
  const named = {
    "/app/.env": "COMPOSE_FILE=x.yaml:y.yaml\nCOMPOSE_PROJECT_NAME=n",
    "/app/x.yaml": "services: {a: {image: x}}",
    "/app/y.yaml": "services: {a: {init: true}}",
  }
  const project = open(named)
  expect([project.name, project.services["a"]!.init]).toEqual(["n", true])
  expect(() => open({})).toThrow("no configuration file provided: not found")
})

test("inOrder() puts dependencies first, withDependencies() takes only what is needed", () => {
  const project = one(
    "services: {a: {image: x, depends_on: [b]}, b: {image: x, volumes_from: [c]}, c: {image: x}, d: {image: x}}",
  )
  expect(inOrder(project)).toEqual(["c", "b", "a", "d"])
  expect(withDependencies(project, ["b"])).toEqual(["c", "b"])
})

test("renderProject() gives a form that means the same when it is read again", () => {
  const project = one(
    "name: n\nservices: {a: {image: x, command: echo $$A, environment: {K: 'a: b', N: '1', Y: 'yes', E: ''}, extra_hosts: {h: ['1.1.1.1', '::1']}, x-q: {z: 1, a: [2]}}}\nx-top: [1]",
  )
  const text = renderProject(project, "yaml")
  expect(text).toContain("- echo\n      - $$A")
  expect(renderProject(one(text), "yaml")).toBe(text)
  expect(JSON.parse(renderProject(one(text), "json"))).toEqual(JSON.parse(renderProject(project, "json")))
})

test("names of a file do not reach the prototype of objects", () => {
  const project = one("services: {a: {image: x, environment: {constructor: c}, labels: {toString: t}}}")
  expect(Object.keys(project.services["a"]!.environment!)).toEqual(["constructor"])
  expect(() => one("services: {a: {image: x, environment: {__proto__: p}}}")).toThrow(
    'nothing can be called "__proto__"',
  )
  expect(() => one("services: {a: {image: x, environment: [__proto__=p]}}")).toThrow(
    'nothing can be called "__proto__"',
  )
  expect(() => one("services: {a: {image: x, constructor: 1}}")).toThrow('unknown key "constructor"')
})

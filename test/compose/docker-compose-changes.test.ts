// docker compose against our socket: what it does when the project's files change, fail, or lie in several places.
import { afterEach, describe, expect, test } from "bun:test"
import { composeProgram, eventually, Project } from "../support/compose.ts"
import { testEngine } from "../support/fixture.ts"

const service = (more: string, command = "exec sleep 1000"): string => `
    image: bb
    network_mode: none
    init: true
    stop_grace_period: 1s
    command: sh -c '${command}'
${more.replace(/^/gm, "    ")}`

describe.skipIf(composeProgram === undefined)("docker compose, when files change", () => {
  const engine = testEngine()
  let project: Project | undefined
  let serial = 0
  const open = (files: Readonly<Record<string, string>>): Project => {
    project = new Project(engine, `changes${serial++}`, files)
    return project
  }
  const ids = async (of: Project): Promise<Record<string, string>> =>
    Object.fromEntries((await of.containers()).map(({ Name, ID }) => [Name.replace(/^changes\d+-/, ""), ID]))

  afterEach(async () => {
    await project?.run(["--profile", "*", "down", "-v", "-t", "1", "--remove-orphans"])
  })

  test("up makes anew what changed, leaves what did not, and takes orphans when told to", async () => {
    const files = (x: string): string =>
      `services:\n  same:${service("")}\n  other:${service(`environment: {X: "${x}"}`)}\n  gone:${service("")}\n`
    const it = open({ "compose.yaml": files("1") })
    await it.ok("up", "-d")
    const before = await ids(it)
    expect(Object.keys(before).sort()).toEqual(["gone-1", "other-1", "same-1"])
    it.write({ "compose.yaml": files("2").replace(/\n {2}gone:[\s\S]*$/, "\n") })
    const { status, stderr } = await it.run(["up", "-d"])
    expect(status).toBe(0)
    expect(stderr).toMatch(/Found orphan containers \(\[changes\d+-gone-1\]\)/)
    await it.ok("up", "-d", "--remove-orphans")
    const after = await ids(it)
    expect(Object.keys(after).sort()).toEqual(["other-1", "same-1"])
    expect(after["same-1"]).toBe(before["same-1"]!)
    expect(after["other-1"]).not.toBe(before["other-1"]!)
    expect(await it.ok("exec", "-T", "other", "sh", "-c", "echo $X")).toBe("2")
    await it.ok("up", "-d", "--force-recreate", "same")
    expect((await ids(it))["same-1"]).not.toBe(before["same-1"]!)
  })

  test("an anonymous volume goes along to the container that replaces its own", async () => {
    const files = (x: string): string => `services:\n  keeper:${service(`environment: {X: "${x}"}\nvolumes: [/vol]`)}\n`
    const it = open({ "compose.yaml": files("1") })
    await it.ok("up", "-d")
    await it.ok("exec", "-T", "keeper", "sh", "-c", "echo kept > /vol/file")
    it.write({ "compose.yaml": files("2") })
    await it.ok("up", "-d")
    expect(await it.ok("exec", "-T", "keeper", "sh", "-c", "cat /vol/file; echo $X")).toBe("kept\n2")
    await it.ok("up", "-d", "--renew-anon-volumes", "--force-recreate")
    expect(await it.ok("exec", "-T", "keeper", "ls", "/vol")).toBe("seed")
  })

  test("scale makes more and fewer, and a service may say how many", async () => {
    const it = open({ "compose.yaml": `services:\n  many:${service("deploy: {replicas: 3}")}\n` })
    await it.ok("up", "-d")
    const three = await ids(it)
    expect(Object.keys(three).sort()).toEqual(["many-1", "many-2", "many-3"])
    expect(await it.ok("exec", "-T", "--index", "2", "many", "hostname")).toBe(three["many-2"]!.slice(0, 12))
    await it.ok("scale", "many=1")
    expect(await ids(it)).toEqual({ "many-1": three["many-1"]! })
    await it.ok("up", "-d", "--scale", "many=2", "--no-recreate")
    expect(Object.keys(await ids(it)).sort()).toEqual(["many-1", "many-2"])
  })

  test("extends, include, env files, profiles and interpolation are joined into one project", async () => {
    const it = open({
      "compose.yaml": `include: [part/compose.yaml]
services:
  main:
    extends: {file: base.yaml, service: base}
    environment: {WHO: "\${WHO:?nobody}"}
  quiet:${service("profiles: [extra]")}
`,
      "base.yaml": `services:\n  base:${service("labels: {from: base}")}\n`,
      "part/compose.yaml": `services:\n  part:${service("env_file: [part.env]")}\n`,
      "part/part.env": "FOO=of the file\n",
      ".env": "WHO=me\n",
    })
    await it.ok("up", "-d")
    expect(Object.keys(await ids(it)).sort()).toEqual(["main-1", "part-1"])
    expect(await it.ok("exec", "-T", "part", "sh", "-c", "echo $FOO")).toBe("of the file")
    expect(await it.ok("exec", "-T", "main", "sh", "-c", "echo $WHO")).toBe("me")
    await it.ok("--profile", "extra", "up", "-d", "quiet")
    expect(Object.keys(await ids(it)).sort()).toEqual(["main-1", "part-1", "quiet-1"])
  })

  test("up --wait fails for what is not healthy, up for what is missing or refused, each with the reason", async () => {
    const sick = `healthcheck: {test: [CMD, "false"], interval: 100ms, retries: 2}`
    const it = open({
      "compose.yaml": `services:\n  sick:${service(sick)}\n  after:${service("depends_on: {sick: {condition: service_healthy}}")}\n`,
    })
    expect(await it.fails("up", "-d", "--wait", "sick")).toMatch(/container changes\d+-sick-1 is unhealthy/)
    expect(await it.fails("up", "-d")).toMatch(/dependency failed to start: container changes\d+-sick-1 is unhealthy/)
    it.write({
      "compose.yaml": `services:\n  one:${service("volumes: [there:/x]")}\nvolumes: {there: {external: true}}\n`,
    })
    expect(await it.fails("up", "-d")).toContain('external volume "there" not found')
    it.write({ "compose.yaml": `services:\n  one:${service("secrets: [s]")}\nsecrets: {s: {external: true}}\n` })
    expect(await it.fails("up", "-d")).toContain("unsupported external secret s")
    it.write({
      "compose.yaml": `services:\n  one:${service("depends_on: {two: {condition: service_completed_successfully}}")}\n  two:${service("", "exit 4")}\n`,
    })
    expect(await it.fails("up", "-d", "--remove-orphans")).toMatch(/service "two" didn't complete successfully: exit 4/)
  })

  test("up in the foreground ends with the status of the first that ends", async () => {
    const it = open({
      "compose.yaml": `services:\n  first:${service("", "echo said; sleep 0.5; exit 3")}\n  other:${service("", "echo other; exec sleep 1000")}\n`,
    })
    const { status, stdout } = await it.run(["up", "--exit-code-from", "first"])
    expect(status).toBe(3)
    expect(stdout).toContain("first-1  | said")
    expect(stdout).toContain("other-1  | other")
    expect((await it.containers()).map(({ State }) => State)).toEqual(["exited", "exited"])
  })

  test("watch brings changed files into the container, and restarts it or runs a command", async () => {
    const develop = `develop:
  watch:
    - {action: sync, path: ./synced, target: /synced}
    - {action: sync+restart, path: ./both, target: /both}
    - {action: sync+exec, path: ./ran, target: /ran, exec: {command: ln /ran/file /executed}}
    - {action: restart, path: ./restarted}
build: {context: ., dockerfile_inline: FROM bb}`
    const it = open({
      "compose.yaml": `services:\n  dev:${service(develop, "echo begun; exec sleep 1000")}\n`,
      "synced/file": "1\n",
      "both/file": "1\n",
      "ran/file": "1\n",
      "restarted/file": "1\n",
    })
    await it.ok("up", "-d", "--no-build")
    const watching = it.spawn(["watch", "--no-up"])
    await watching.stdout.contains("Watch enabled")
    const inside = async (path: string): Promise<string> => (await it.run(["exec", "-T", "dev", "cat", path])).stdout
    const begun = async (): Promise<number> => (await it.ok("logs", "dev")).split("begun").length - 1
    // It says so a moment before it does, and waits until nothing was written for a while.
    let tries = 0
    await eventually(
      () => {
        if (tries++ % 30 === 0) it.write({ "synced/file": "2\n" })
        return inside("/synced/file")
      },
      (text) => text === "2\n",
    )
    it.write({ "ran/file": "3\n" })
    await eventually(
      () => inside("/executed"),
      (text) => text === "3\n",
    )
    it.write({ "both/file": "4\n" })
    await eventually(begun, (times) => times === 2)
    expect(await inside("/both/file")).toBe("4\n")
    it.write({ "restarted/file": "5\n" })
    await eventually(begun, (times) => times === 3)
    watching.kill("SIGKILL")
    await watching.ended()
  })
})

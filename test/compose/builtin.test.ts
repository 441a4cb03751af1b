// The built-in compose over a real engine: a project's whole life, what a change does, what is left alone, and that docker's
// plugin and it see one another's projects.
import { describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { MAIN } from "../cli/command-line.ts"
import { composeProgram, eventually } from "../support/compose.ts"
import { CommandLine } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()

/** A project in a directory of its own, and the built-in compose on it. */
class BuiltIn {
  readonly directory: string
  readonly #name: string
  readonly line: CommandLine

  constructor(name: string, yaml: string, environment: Readonly<Record<string, string>> = {}) {
    this.#name = name
    this.directory = join(engine.root, "builtin", name)
    mkdirSync(this.directory, { recursive: true })
    this.write(yaml)
    const words = [process.execPath, MAIN, "compose", "--builtin", "--project-directory", this.directory]
    this.line = new CommandLine([...words, "-f", this.file], { DHOW_HOST: `unix://${engine.socket}`, ...environment })
  }

  get file(): string {
    return join(this.directory, "compose.yaml")
  }

  write(yaml: string): void {
    writeFileSync(this.file, `name: ${this.#name}\n${yaml}`)
  }

  /** What was said, steps included; the command must end well. */
  async says(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.line.run(args)
    if (status !== 0) throw new Error(`${args.join(" ")}: status ${status}: ${stderr}${stdout}`)
    return stderr + stdout
  }

  async states(): Promise<Record<string, string>> {
    const lines = (await this.line.ok("ps", "-a", "--format", "json")).split("\n").filter(Boolean)
    return Object.fromEntries(lines.map((line) => JSON.parse(line)).map(({ Name, State }) => [Name, State]))
  }

  async plan(...args: readonly string[]): Promise<readonly { action: string; name: string; reason: string[] }[]> {
    return JSON.parse(await this.line.ok("plan", "--format", "json", ...args))
  }
}

const SLEEP = `sh -c 'trap "exit 0" TERM; while :; do sleep 0.2; done'`

const SHOP = `
services:
  web:
    image: bb
    command: ${SLEEP}
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully}
    environment: {GREETING: hi}
    secrets: [token]
    configs: [{source: conf, target: /etc/app.conf, mode: 0400}]
    ports: ["8080"]
    volumes: [/scratch]
  db:
    image: bb
    command: sh -c 'touch /tmp/ok; trap "exit 0" TERM; while :; do sleep 0.2; done'
    healthcheck: {test: [CMD, test, -f, /tmp/ok], interval: 200ms, start_period: 5s, start_interval: 200ms}
    volumes: ["data:/data"]
    networks: {default: {aliases: [store]}}
  job: {image: bb, command: sh -c 'echo job done; echo to err >&2'}
volumes: {data: {}}
secrets: {token: {environment: TOKEN}}
configs: {conf: {content: "greeting=\${GREET:-none}"}}
`

describe("the built-in compose", () => {
  test("brings a project up in the order of its dependencies, shows it, and takes it down", async () => {
    const shop = new BuiltIn("shop", SHOP, { TOKEN: "s3cret" })
    expect((await shop.plan()).map(({ action, name }) => `${action} ${name}`)).toEqual([
      "create shop_default",
      "create shop_data",
      "create shop-db-1",
      "create shop-job-1",
      "create shop-web-1",
    ])
    const said = await shop.says("up", "-d")
    for (const step of [
      "Network shop_default  Created",
      "Volume shop_data  Created",
      "Container shop-db-1  Healthy",
      "Container shop-job-1  Exited",
      "Container shop-web-1  Started",
    ])
      expect(said).toContain(` ${step}\n`)
    expect(said.indexOf("shop-db-1  Healthy")).toBeLessThan(said.indexOf("shop-web-1  Starting"))
    expect(await shop.states()).toEqual({ "shop-db-1": "running", "shop-job-1": "exited", "shop-web-1": "running" })
    expect(await shop.line.ok("exec", "-T", "web", "sh", "-c", "cat /run/secrets/token /etc/app.conf")).toBe(
      "s3cretgreeting=none",
    )
    expect(await shop.line.ok("exec", "-T", "web", "nslookup", "store")).toContain("Name:")
    expect((await shop.line.run(["exec", "-T", "web", "sh", "-c", "exit 7"])).status).toBe(7)
    expect(await shop.line.run(["logs", "job"])).toEqual({
      status: 0,
      stdout: "job-1 | job done\n",
      stderr: "job-1 | to err\n",
    })
    expect(await shop.line.ok("port", "web", "8080")).toMatch(/^0\.0\.0\.0:\d+$/)
    expect(await shop.line.ok("top", "web")).toContain("SERVICE")
    expect(await shop.line.ok("images")).toContain("shop-web-1")
    expect(await shop.line.ok("ls")).toMatch(/^shop\s+running\(2\)/m)
    expect(await shop.line.ok("ps", "--services")).toBe("db\nweb")
    const labels = (
      await engine.must<{ Config: { Labels: Record<string, string> } }>("GET", "/containers/shop-web-1/json")
    ).Config.Labels
    expect(labels).toMatchObject({
      "com.docker.compose.project": "shop",
      "com.docker.compose.service": "web",
      "com.docker.compose.container-number": "1",
      "com.docker.compose.oneoff": "False",
      "com.docker.compose.project.config_files": shop.file,
      "com.docker.compose.project.working_dir": shop.directory,
      "com.docker.compose.depends_on": "db:service_healthy:false,job:service_completed_successfully:false",
    })
    expect(labels["com.docker.compose.config-hash"]).toBe(
      (await shop.line.ok("config", "--hash", "web")).split(" ")[1]!,
    )
    await copies(shop)
    await changes(shop)
    expect(await shop.says("down")).toContain("Network shop_default  Removed")
    expect((await engine.call("GET", "/volumes/shop_data")).status).toBe(200)
    expect(await shop.says("down", "-v")).toContain("Volume shop_data  Removed")
    expect(await shop.says("down")).toContain('No resource found to remove for project "shop"')
  }, 60_000)

  async function copies(shop: BuiltIn): Promise<void> {
    writeFileSync(join(shop.directory, "in.txt"), "copied")
    await shop.says("cp", join(shop.directory, "in.txt"), "web:/tmp/in.txt")
    await shop.says("cp", "web:/tmp/in.txt", join(shop.directory, "out.txt"))
    expect(readFileSync(join(shop.directory, "out.txt"), "utf8")).toBe("copied")
  }

  /** Only what differs is made again, with its reason told before; anonymous volumes stay. */
  async function changes(shop: BuiltIn): Promise<void> {
    const idOf = async (name: string): Promise<string> =>
      (await engine.must<{ Id: string }>("GET", `/containers/${name}/json`)).Id
    const before = { web: await idOf("shop-web-1"), db: await idOf("shop-db-1") }
    await shop.says("exec", "-T", "web", "touch", "/scratch/kept")
    shop.write(SHOP.replace("GREETING: hi", "GREETING: hello, MORE: 1").replace("/scratch]", "/scratch]\n    scale: 2"))
    expect(await shop.plan()).toEqual([
      expect.objectContaining({ action: "start", name: "shop-job-1" }),
      expect.objectContaining({
        action: "recreate",
        name: "shop-web-1",
        reason: ["environment.GREETING", "environment.MORE"],
      }),
      expect.objectContaining({ action: "create", name: "shop-web-2" }),
    ])
    expect((await shop.line.run(["plan", "--exit-code"])).status).toBe(2)
    await shop.says("up", "-d")
    expect(await idOf("shop-db-1")).toBe(before.db)
    expect(await idOf("shop-web-1")).not.toBe(before.web)
    expect(await shop.line.ok("exec", "-T", "web", "ls", "/scratch")).toBe("kept")
    await shop.says("up", "-d", "--no-deps", "--scale", "web=3", "web")
    expect(Object.keys(await shop.states()).filter((name) => name.includes("web"))).toHaveLength(3)
    await shop.says("scale", "web=1")
    expect(Object.keys(await shop.states())).toEqual(["shop-db-1", "shop-job-1", "shop-web-1"])
    expect(await shop.says("pause", "web")).toContain("Paused")
    expect((await shop.states())["shop-web-1"]).toBe("paused")
    await shop.says("unpause", "web")
    await shop.says("restart", "-t", "5", "db")
    await shop.says("stop", "-t", "5")
    expect(new Set(Object.values(await shop.states()))).toEqual(new Set(["exited"]))
    await shop.says("start", "db")
    await shop.says("kill", "db")
    await shop.says("rm", "-f", "job")
    const orphaned = SHOP.replace(/ {2}job: \{image.*\n/, "")
      .replace(/ {6}job: .*\n/, "")
      .replace("  web:", "  site:")
    shop.write(orphaned)
    expect(await shop.says("up", "-d", "db")).toContain("Found orphan containers (shop-web-1)")
    expect(await shop.says("up", "-d", "--remove-orphans", "db")).toContain("Container shop-web-1  Removed")
  }

  test("runs a command of its own beside the services, and what it needs before", async () => {
    const jobs = new BuiltIn(
      "jobs",
      `services:\n  app: {image: bb, command: "false", restart: always, depends_on: [base], environment: {A: file}}\n  base: {image: bb, command: ${JSON.stringify(SLEEP)}}\n`,
    )
    const run = await jobs.line.run(
      ["run", "--rm", "-T", "-e", "B=flag", "app", "sh", "-c", "cat; echo $A $B; exit 5"],
      { stdin: "in\n" },
    )
    expect([run.status, run.stdout]).toEqual([5, "in\nfile flag\n"])
    expect(run.stderr).toContain("Container jobs-base-1  Started")
    expect(await jobs.states()).toEqual({ "jobs-base-1": "running" })
    const name = await jobs.line.ok("run", "-d", "--no-deps", "app", "sh", "-c", "true")
    expect(name).toMatch(/^jobs-app-run-[0-9a-f]{12}$/)
    await jobs.says("down", "--remove-orphans")
    expect(await jobs.states()).toEqual({})
  })

  test("in the foreground shows what containers write, and ends with the status asked for", async () => {
    const show = new BuiltIn(
      "show",
      `services:\n  quick: {image: bb, command: sh -c 'echo one; echo two >&2; exit 3'}\n  slow: {image: bb, command: ${JSON.stringify(SLEEP)}}\n`,
    )
    const alone = await show.line.run(["up", "quick"])
    expect(alone.stdout).toBe("Attaching to quick-1\nquick-1 | one\nquick-1 exited with code 3\n")
    expect([alone.status, alone.stderr.includes("quick-1 | two\n")]).toEqual([0, true])
    const both = await show.line.run(["up", "--exit-code-from", "quick"])
    expect(both.status).toBe(3)
    expect(both.stderr).toContain("Aborting on container exit...")
    expect(await show.states()).toEqual({ "show-quick-1": "exited", "show-slow-1": "exited" })
    await show.says("down")
  })

  test("replaces containers without a gap, and keeps the older one when the new one fails", async () => {
    const yaml = (word: string, check: string): string =>
      `services:\n  web:\n    image: bb\n    init: true\n    command: sleep 1000\n    environment: {WORD: ${word}}\n    healthcheck: {test: "${check}", interval: 200ms, retries: 2}\n`
    const roll = new BuiltIn("roll", yaml("one", "true"))
    await roll.says("up", "-d", "--wait")
    const idOf = async (): Promise<string> =>
      (await engine.must<{ Id: string }>("GET", "/containers/roll-web-1/json")).Id
    const first = await idOf()
    roll.write(yaml("two", "true"))
    const said = await roll.says("up", "-d", "--rolling")
    expect(said).toContain("Container roll-web-1  Replaced")
    const second = await idOf()
    expect(second).not.toBe(first)
    expect(await roll.line.ok("exec", "-T", "web", "sh", "-c", "echo $WORD")).toBe("two")
    roll.write(yaml("three", "false"))
    const failed = await roll.line.run(["up", "-d", "--rolling"])
    expect(failed.status).toBe(1)
    expect(failed.stderr).toContain('Cannot replace "roll-web-1"')
    expect(await idOf()).toBe(second)
    expect(await roll.states()).toEqual({ "roll-web-1": "running" })
    await roll.says("down")
  })

  test("says what it cannot do, with the place in the file", async () => {
    const bad = new BuiltIn("bad", "services:\n  app: {build: .}\n")
    const built = await bad.line.run(["up", "-d"])
    expect([built.status, built.stderr]).toEqual([
      1,
      expect.stringContaining('Cannot build service "app": this version has no builder'),
    ])
    bad.write("services:\n  app:\n    image: bb\n    comand: x\n")
    const misspelt = await bad.line.run(["up", "-d"])
    expect(misspelt.stderr).toBe(
      `dhow: ${bad.file}:5:5: unknown key "comand" in services.app\nDid you mean "command"?\n`,
    )
    bad.write(
      `services:\n  app: {image: bb, command: "true", depends_on: {sick: {condition: service_healthy}}}\n  sick: {image: bb, command: "sleep 100", init: true, healthcheck: {test: "false", interval: 100ms, retries: 1}}\n`,
    )
    const sick = await bad.line.run(["up", "-d"])
    expect([sick.status, sick.stderr]).toEqual([
      1,
      expect.stringContaining("dependency failed to start: container bad-sick-1 is unhealthy"),
    ])
    await bad.says("down", "-t", "0")
  })

  test.skipIf(composeProgram === undefined)(
    "and docker's plugin leave one another's containers as they are",
    async () => {
      const both = new BuiltIn(
        "both",
        `services:\n  web: {image: bb, command: ${JSON.stringify(SLEEP)}, env_file: web.env, build: ., volumes: ["data:/d"], labels: {a: b}}\n  side: {image: bb, command: "sleep 1000", init: true, network_mode: "service:web"}\nvolumes: {data: {}}\n`,
      )
      writeFileSync(join(both.directory, "web.env"), "KEY=value\n")
      const plugin = new CommandLine([composeProgram ?? "", "-f", both.file], {
        DOCKER_HOST: `unix://${engine.socket}`,
      })
      await both.says("up", "-d")
      const theirs = await plugin.run(["up", "-d"])
      expect(theirs.stderr).toContain("Container both-web-1  Running")
      expect(theirs.stderr).toContain("Container both-side-1  Running")
      await plugin.ok("down", "-v")
      expect(await both.states()).toEqual({})
      await plugin.run(["up", "-d"])
      expect(await both.plan()).toEqual([])
      expect(await both.says("up", "-d")).not.toContain("Recreate")
      await both.says("down", "-v")
      expect((await engine.call("GET", "/networks/both_default")).status).toBe(404)
      expect(existsSync(both.file)).toBe(true)
    },
  )

  test("gives way to docker's plugin where one is installed, with our socket", async () => {
    const config = join(engine.root, "docker-config")
    mkdirSync(join(config, "cli-plugins"), { recursive: true })
    const plugin = join(config, "cli-plugins/docker-compose")
    writeFileSync(plugin, '#!/bin/sh\necho "$DOCKER_HOST $*"\nexit 9\n', { mode: 0o755 })
    const line = new CommandLine([process.execPath, MAIN, "compose"], {
      DHOW_HOST: `unix://${engine.socket}`,
      DOCKER_CONFIG: config,
      DHOW_COMPOSE: "",
    })
    const run = await line.run(["-f", "x.yaml", "up", "--some-flag", "-d"])
    expect(run).toEqual({
      status: 9,
      stdout: `unix://${engine.socket} compose -f x.yaml up --some-flag -d\n`,
      stderr: "",
    })
    expect((await line.run(["--builtin", "version"])).stdout).toStartWith("Dhow Compose version")
  })

  test("finishes what a kill of the engine interrupted", async () => {
    const life = new BuiltIn(
      "life",
      `services:\n  a: {image: bb, command: ${JSON.stringify(SLEEP)}, scale: 2, volumes: ["data:/d"]}\nvolumes: {data: {}}\n`,
    )
    const up = life.line.run(["up", "-d"])
    await eventually(
      () => engine.call("GET", "/networks/life_default"),
      ({ status }) => status === 200,
    )
    await engine.kill()
    await up
    await engine.start()
    await life.says("up", "-d")
    expect(await life.states()).toEqual({ "life-a-1": "running", "life-a-2": "running" })
    await life.says("down", "-v")
  })
})

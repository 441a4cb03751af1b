// docker compose against our socket: each of its commands, on one project that needs no network of its own.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { composeProgram, eventually, Project } from "../support/compose.ts"
import { testEngine } from "../support/fixture.ts"

const COMPOSE = `
x-base: &base
  image: bb
  network_mode: bridge
  init: true
  stop_grace_period: 2s
services:
  db:
    <<: *base
    command: sh -c 'touch /data/ok; echo started; exec sleep 1000'
    volumes: [data:/data]
    healthcheck:
      test: [CMD, test, -e, /data/ok]
      interval: 60s
      start_period: 20s
      start_interval: 100ms
  migrate:
    <<: *base
    command: echo migrated
    depends_on:
      db: {condition: service_healthy}
  app:
    <<: *base
    command: sh -c 'echo begun; while true; do sleep 0.2; echo tick; done'
    depends_on:
      migrate: {condition: service_completed_successfully}
      db: {condition: service_healthy}
    secrets: [from-file, from-environment]
    configs:
      - {source: from-file, target: /etc/conf}
      - {source: inline, target: /inline, mode: 0400, uid: "5"}
    environment: [LITERAL=1, PASSED]
    ports: ["127.0.0.1::80"]
  tool:
    <<: *base
    profiles: [tools]
    command: echo the tool
volumes:
  data: {labels: {kind: kept}}
secrets:
  from-file: {file: ./secret.txt}
  from-environment: {environment: SECRET}
configs:
  from-file: {file: ./conf.txt}
  inline: {content: "for \${WHOM:-nobody}\\n"}
`

describe.skipIf(composeProgram === undefined)("docker compose", () => {
  const engine = testEngine()
  let project: Project
  const script = (service: string, text: string): Promise<string> => project.ok("exec", "-T", service, "sh", "-c", text)
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await project.containers()).map(({ Service, State }) => [Service, State]))

  beforeAll(() => {
    process.env["SECRET"] = "of the environment"
    process.env["PASSED"] = "on"
    project = new Project(engine, "commands", {
      "compose.yaml": COMPOSE,
      "secret.txt": "of a file\n",
      "conf.txt": "configured\n",
    })
  })
  afterAll(async () => {
    delete process.env["SECRET"]
    delete process.env["PASSED"]
    await project.run(["--profile", "*", "down", "-v", "--remove-orphans"])
  })

  test("up begins each service when what it depends on is healthy or has ended well", async () => {
    await project.ok("up", "-d", "--wait")
    expect(await states()).toEqual({ db: "running", migrate: "exited", app: "running" })
    const [db, migrate, app] = await Promise.all(
      ["db", "migrate", "app"].map((name) =>
        engine.must<{ State: { StartedAt: string; FinishedAt: string } }>("GET", `/containers/commands-${name}-1/json`),
      ),
    )
    expect(db!.State.StartedAt < migrate!.State.StartedAt).toBe(true)
    expect(migrate!.State.FinishedAt <= app!.State.StartedAt).toBe(true)
  })

  test("secrets, configs and environment come from files, the environment and the file itself", async () => {
    const text = await script("app", "cat /run/secrets/from-file /etc/conf /inline; stat -c '%a %u' /inline; env")
    expect(text).toStartWith("of a file\nconfigured\nfor nobody\n400 5\n")
    expect(text).toContain("\nPASSED=on")
    expect(await script("app", "cat /run/secrets/from-environment")).toBe("of the environment")
  })

  test("ls, ps, images, port, top, volumes, stats, config and version tell of it", async () => {
    const [one] = JSON.parse(await project.ok("ls", "--format", "json")) as { Name: string; Status: string }[]
    expect(one).toMatchObject({ Name: "commands", Status: "running(2)" })
    expect(await project.ok("ps", "--services")).toBe("app\ndb")
    expect(await project.ok("ps", "-a", "--status", "exited", "--format", "{{.Name}}")).toBe("commands-migrate-1")
    expect(await project.ok("images", "app")).toMatch(/commands-app-1 +bb +latest/)
    const published = await project.ok("port", "app", "80")
    expect(published).toMatch(/^127\.0\.0\.1:\d+$/)
    const app = (await project.containers()).find(({ Service }) => Service === "app")
    expect(app?.Publishers?.[0]).toMatchObject({ TargetPort: 80, PublishedPort: Number(published.split(":")[1]) })
    expect(await project.ok("top", "db")).toMatch(/db +1 +root .*sleep 1000/)
    expect(await project.ok("volumes", "--format", "{{.Name}}")).toBe("commands_data")
    expect(await project.ok("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "db")).toBe("commands-db-1 2")
    expect(await project.ok("config", "--services")).toBe("db\nmigrate\napp")
    expect(await project.ok("version", "--short")).toMatch(/^v?2\./)
  })

  test("exec gives the status, runs as another user; run makes a container for once", async () => {
    expect((await project.run(["exec", "-T", "app", "sh", "-c", "exit 3"])).status).toBe(3)
    expect(
      await project.ok("exec", "-T", "-u", "7:8", "-e", "X=1", "-w", "/tmp", "app", "sh", "-c", "id -u; pwd; echo $X"),
    ).toBe("7\n/tmp\n1")
    const piped = await project.run(["exec", "-T", "app", "cat"], { stdin: "through the pipe" })
    expect(piped.stdout).toBe("through the pipe")
    expect(await project.ok("run", "--rm", "-T", "tool")).toBe("the tool")
    const failed = await project.run(["run", "--rm", "-T", "--no-deps", "-e", "X=5", "app", "sh", "-c", "exit $X"])
    expect(failed.status).toBe(5)
    expect((await project.containers()).length).toBe(3)
  })

  test("logs come by service, follow over a restart, and can be attached to", async () => {
    // Each service's come as they come, and the names are as wide as those that came before.
    const lines = (await project.ok("logs", "db", "migrate")).replace(/ +/g, " ").split("\n")
    expect(lines.sort()).toEqual(["db-1 | started", "migrate-1 | migrated"])
    const following = project.spawn(["logs", "-f", "--no-log-prefix", "--tail", "1", "app"])
    await following.stdout.contains("tick")
    const from = following.stdout.text.length
    await project.ok("restart", "-t", "1", "app")
    await following.stdout.contains(/begun\n(tick\n)*tick/, from)
    following.kill("SIGINT")
    await following.ended()
    const attached = project.spawn(["attach", "--no-stdin", "--sig-proxy=false", "app"])
    await attached.stdout.contains("tick")
    attached.kill("SIGKILL")
    await attached.ended()
    expect((await states())["app"]).toBe("running")
  })

  test("cp, export and commit take files and images out of a service", async () => {
    project.write({ "in.txt": "taken in\n" })
    const [into, out, archive] = ["in.txt", "out.txt", "app.tar"].map((name) => join(project.directory, name))
    await project.ok("cp", into!, "app:/tmp/in.txt")
    await project.ok("cp", "app:/tmp/in.txt", out!)
    expect(readFileSync(out!, "utf8")).toBe("taken in\n")
    await project.ok("export", "-o", archive!, "app")
    expect(Bun.spawnSync(["tar", "-xOf", archive!, "tmp/in.txt"]).stdout.toString()).toBe("taken in\n")
    await project.ok("commit", "app", "committed:1")
    expect((await engine.call("GET", "/images/committed:1/json")).status).toBe(200)
    await engine.must("DELETE", "/images/committed:1")
  })

  test("pause, unpause, stop, start, kill, rm and create do what they say, and events tell it", async () => {
    const events = project.spawn(["events", "--json", "app"])
    // It has no word for being ready: what it says first is that it hears something.
    await eventually(
      async () => {
        await project.run(["exec", "-T", "app", "true"])
        return events.stdout.text
      },
      (text) => text !== "",
    )
    await project.ok("pause", "app")
    expect((await states())["app"]).toBe("paused")
    await project.ok("unpause", "app")
    await project.ok("stop", "-t", "1", "app")
    expect((await states())["app"]).toBe("exited")
    await project.ok("start", "app")
    await project.ok("kill", "-s", "KILL", "app")
    await project.ok("rm", "-f", "app")
    expect((await states())["app"]).toBeUndefined()
    await project.ok("create", "app")
    expect((await states())["app"]).toBe("created")
    await project.ok("up", "-d", "--no-recreate", "app")
    for (const action of ["pause", "unpause", "stop", "start", "kill", "destroy", "create"])
      await events.stdout.contains(`"action":"${action}"`)
    events.kill("SIGINT")
    await events.ended()
  })

  test("wait gives the status of what ends", async () => {
    // Whether it has begun to wait when the container ends is not to be seen: it knows of none then, and has another try.
    await eventually(
      async () => {
        await project.ok("up", "-d", "--no-recreate", "app")
        const waiting = project.run(["wait", "app"])
        await Bun.sleep(300)
        await project.ok("kill", "app")
        return (await waiting).status
      },
      (status) => status === 137,
    )
  })

  test("down takes what up has made, volumes only when asked", async () => {
    await project.ok("down", "--timeout", "1")
    expect(await project.containers()).toEqual([])
    expect((await engine.call("GET", "/volumes/commands_data")).status).toBe(200)
    await project.ok("down", "-v")
    expect((await engine.call("GET", "/volumes/commands_data")).status).toBe(404)
    expect(await project.ok("ls", "-a", "-q")).toBe("")
  })
})

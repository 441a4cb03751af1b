// Logging in: dhow's command and docker's, against registries that want a password or a token, with the logins kept in a
// file, by a helper, or by podman.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type CommandLine, dhow as dhowOf, docker, dockerProgram } from "../support/docker.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"
import { TokenServer } from "../support/token-server.ts"

const isReady = hasRegistry && Bun.which("openssl") !== null && (await Bun.file("/bin/busybox").exists())
const users = { alice: "wonder:land", bob: "builder" }

describe.skipIf(!isReady)("login", () => {
  let registry: TestRegistry
  let guarded: TestRegistry
  let tokens: TokenServer
  const engine = new TestEngine()
  let dhow: CommandLine
  let home: string
  const file = (): string => join(home, "config.json")
  const config = () => JSON.parse(readFileSync(file(), "utf8"))
  const logIn = (host: string, user: string, password: string) =>
    dhow.run(["login", "-u", user, "--password-stdin", host], { stdin: `${password}\n` })

  beforeAll(async () => {
    registry = await TestRegistry.start({ users })
    tokens = new TokenServer(users)
    guarded = await TestRegistry.start({ token: tokens.settings })
    await engine.start()
    dhow = dhowOf(engine)
    home = join(engine.root, "home")
    mkdirSync(join(engine.root, "bin"))
    const import_ = await dhow.run(["import", "-", `${registry.host}/team/box:1`], { stdin: busyboxTar() })
    expect(import_.status).toBe(0)
    await dhow.ok("tag", `${registry.host}/team/box:1`, `${guarded.host}/team/box:1`)
  })
  beforeEach(() => rmSync(home, { recursive: true, force: true }))
  afterAll(async () => {
    await engine.destroy()
    await registry?.stop()
    await guarded?.stop()
    await tokens?.stop()
  })

  test("keeps name and password as docker does, in a file that only its owner reads", async () => {
    const said = await logIn(registry.host, "alice", "wonder:land")
    expect(said).toMatchObject({ status: 0, stdout: "Login Succeeded\n" })
    expect(said.stderr).toContain(`WARNING! Your credentials are stored unencrypted in '${file()}'.`)
    expect(config()).toEqual({ auths: { [registry.host]: { auth: btoa("alice:wonder:land") } } })
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    const elsewhere = join(engine.root, "elsewhere")
    const login = ["--config", elsewhere, "login", "-u", "alice", "--password-stdin", registry.host]
    expect((await dhow.run(login, { stdin: "wonder:land\r\n" })).status).toBe(0)
    expect(statSync(elsewhere).mode & 0o777).toBe(0o700)
    expect((await dhow.run(["push", `${registry.host}/team/box:1`])).status).toBe(0)
    expect((await dhow.run(["pull", `${registry.host}/team/box:1`])).status).toBe(0)
    // What run and create pull for themselves is pulled with the login too.
    await dhow.ok("rmi", `${registry.host}/team/box:1`)
    const run = await dhow.run(["run", "--rm", "--network", "none", `${registry.host}/team/box:1`, "echo", "pulled"])
    expect(run).toMatchObject({ status: 0, stdout: "pulled\n" })
  })

  test("says what was wrong, keeps nothing of it, and leaves the rest of the file as it is", async () => {
    mkdirSync(home)
    const before = { psFormat: "{{.ID}}", auths: { "other.example.com": { auth: btoa("x:y") } }, own: { deep: [1] } }
    writeFileSync(join(home, "real.json"), JSON.stringify(before), { mode: 0o640 })
    symlinkSync("real.json", file())
    const refused = await logIn(registry.host, "alice", "wrong")
    expect(refused.status).toBe(1)
    expect(refused.stderr).toBe(
      `dhow: login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized\n`,
    )
    expect(config()).toEqual(before)
    expect((await logIn(registry.host, "bob", "builder")).status).toBe(0)
    expect(config()).toEqual({ ...before, auths: { ...before.auths, [registry.host]: { auth: btoa("bob:builder") } } })
    expect(statSync(join(home, "real.json")).mode & 0o777).toBe(0o640)
    expect(await dhow.run(["logout", registry.host])).toMatchObject({
      status: 0,
      stdout: `Removing login credentials for ${registry.host}\n`,
    })
    expect(config()).toEqual(before)
  })

  test("never writes over a file that it cannot read", async () => {
    mkdirSync(home)
    writeFileSync(file(), "{ not json")
    const said = await logIn(registry.host, "alice", "wonder:land")
    expect(said.status).toBe(1)
    expect(said.stderr).toContain(`Configuration file "${file()}" is not JSON`)
    expect(readFileSync(file(), "utf8")).toBe("{ not json")
    const pulled = await dhow.run(["pull", `${registry.host}/team/box:1`])
    expect(pulled.stderr).toContain("WARNING: Error loading config file")
  })

  test("an identity token stands for the password, and is exchanged for tokens", async () => {
    expect((await logIn(guarded.host, "alice", "wonder:land")).stdout).toBe("Login Succeeded\n")
    const entry = config().auths[guarded.host]
    expect(entry).toEqual({ auth: btoa("alice:"), identitytoken: expect.any(String) })
    tokens.requests.length = 0
    expect((await dhow.run(["push", `${guarded.host}/team/box:1`])).status).toBe(0)
    expect(tokens.requests.map(({ method, user }) => `${method} ${user}`)).toContain("POST alice")
    const refused = await logIn(guarded.host, "alice", "no")
    expect(refused.stderr).toBe(
      `dhow: Get "http://${guarded.host}/v2/": unauthorized: incorrect username or password\n`,
    )
    tokens.identityTokens.clear()
    await dhow.run(["logout", guarded.host])
    const denied = await dhow.run(["push", `${guarded.host}/team/other:1`])
    expect(denied.status).toBe(1)
  })

  test("docker's usage errors, word by word", async () => {
    const both = await dhow.run(["login", "-u", "a", "-p", "b", "--password-stdin", registry.host])
    expect(both.stderr).toContain("conflicting options: cannot specify both --password and --password-stdin")
    const nobody = await dhow.run(["login", "--password-stdin", registry.host])
    expect(nobody.stderr).toContain("the --password-stdin option requires --username to be set")
    const piped = await dhow.run(["login", registry.host])
    expect(piped.stderr).toContain("Error: Cannot perform an interactive login from a non TTY device")
    const open = await dhow.run(["login", "-u", "alice", "-p", "wonder:land", registry.host])
    expect(open.stderr).toContain("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    expect(open.status).toBe(0)
  })

  test("on a terminal it asks, and shows no password", async () => {
    using session = dhow.terminal(["login", registry.host])
    await session.screen.contains("Username: ")
    session.type("alice\r")
    await session.screen.contains("Password: ")
    session.type("wonder:land\r")
    await session.screen.contains("Login Succeeded")
    expect(await session.ended()).toBe(0)
    expect(session.screen.text).not.toContain("wonder")
    // A second time with what is stored, without a question.
    const again = await dhow.run(["login", registry.host])
    expect(again).toMatchObject({ status: 0, stdout: "Login Succeeded\n" })
    expect(again.stderr).toContain("Authenticating with existing credentials... [Username: alice]")
  })

  describe("with a credential helper", () => {
    let env: Record<string, string>
    const kept = (): string => join(engine.root, "kept")

    beforeEach(() => {
      const program = join(engine.root, "bin/docker-credential-shelf")
      writeFileSync(program, HELPER)
      chmodSync(program, 0o755)
      rmSync(kept(), { recursive: true, force: true })
      mkdirSync(kept())
      mkdirSync(home, { recursive: true })
      writeFileSync(file(), JSON.stringify({ credHelpers: { [guarded.host]: "gone" }, credsStore: "shelf" }))
      env = { PATH: `${join(engine.root, "bin")}:${process.env["PATH"]}`, SHELF: kept() }
    })

    test("the secret is the helper's, and the file only says so", async () => {
      const args = ["login", "-u", "alice", "--password-stdin", registry.host]
      const said = await dhow.run(args, { stdin: "wonder:land", env })
      expect(said).toMatchObject({ status: 0, stderr: "" })
      expect(config()).toEqual({
        credHelpers: { [guarded.host]: "gone" },
        credsStore: "shelf",
        auths: { [registry.host]: {} },
      })
      expect((await dhow.run(["pull", `${registry.host}/team/box:1`], { env })).status).toBe(0)
      expect((await dhow.run(["pull", `${registry.host}/team/box:1`])).status).toBe(1)
      expect((await dhow.run(["logout", registry.host], { env })).stderr).toBe("")
      expect(config().auths).toEqual({})
      expect(existsSync(join(kept(), registry.host))).toBe(false)
    })

    test("one that is missing or fails is named", async () => {
      const missing = await dhow.run(["pull", `${guarded.host}/team/box:1`], { env })
      expect(missing.status).toBe(1)
      expect(missing.stderr).toBe(
        'dhow: error getting credentials - err: exec: "docker-credential-gone": executable file not found in $PATH, out: ``\n',
      )
      const failing = await dhow.run(["pull", `${registry.host}/team/box:1`], { env: { ...env, SHELF: "" } })
      expect(failing.stderr).toBe("dhow: error getting credentials - err: exit status 1, out: `the shelf is locked`\n")
    })

    test.skipIf(dockerProgram === undefined)("docker's client finds what dhow has kept there", async () => {
      const args = ["login", "-u", "alice", "--password-stdin", registry.host]
      expect((await dhow.run(args, { stdin: "wonder:land", env })).status).toBe(0)
      expect((await docker(engine).run(["pull", `${registry.host}/team/box:1`], { env })).status).toBe(0)
    })
  })

  test("$DOCKER_AUTH_CONFIG goes before the file", async () => {
    const auths = { [registry.host]: { auth: btoa("bob:builder") } }
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) }
    expect((await dhow.run(["pull", `${registry.host}/team/box:1`], { env })).status).toBe(0)
    const broken = await dhow.run(["pull", `${registry.host}/team/box:1`], { env: { DOCKER_AUTH_CONFIG: "{" } })
    expect(broken.stderr).toContain("Failed to create credential store from DOCKER_AUTH_CONFIG")
    expect(broken.status).toBe(1)
  })

  test.skipIf(dockerProgram === undefined)(
    "docker logs in, and each client goes on with the other's login",
    async () => {
      const client = docker(engine)
      const good = ["login", "-u", "alice", "--password-stdin", registry.host]
      const said = await client.run(good, { stdin: "wonder:land" })
      expect(said).toMatchObject({ status: 0, stdout: "Login Succeeded\n" })
      expect((await dhow.run(["pull", `${registry.host}/team/box:1`])).status).toBe(0)
      const bad = await client.run(["login", "-u", "alice", "--password-stdin", registry.host], { stdin: "x" })
      expect(bad.stderr).toContain(`login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized`)
      expect(bad.status).toBe(1)
      const token = await client.run(["login", "-u", "bob", "--password-stdin", guarded.host], { stdin: "builder" })
      expect(token.stdout).toBe("Login Succeeded\n")
      expect(config().auths[guarded.host].identitytoken).toBeString()
      expect((await dhow.run(["push", `${guarded.host}/team/box:1`])).status).toBe(0)
      expect((await client.run(["logout", guarded.host])).status).toBe(0)
      expect((await logIn(guarded.host, "bob", "builder")).status).toBe(0)
      expect((await client.run(["push", `${guarded.host}/team/box:1`])).status).toBe(0)
    },
  )

  test.skipIf(Bun.which("podman") === null)("podman's login is found where docker's file knows none", async () => {
    const authFile = join(engine.root, "podman-auth.json")
    const login = Bun.spawnSync(
      [
        "podman",
        "login",
        "--tls-verify=false",
        "--authfile",
        authFile,
        "-u",
        "alice",
        "--password-stdin",
        registry.host,
      ],
      { stdin: Buffer.from("wonder:land") },
    )
    expect(login.exitCode).toBe(0)
    const env = { REGISTRY_AUTH_FILE: authFile }
    expect((await dhow.run(["pull", `${registry.host}/team/box:1`], { env })).status).toBe(0)
    expect((await dhow.run(["pull", `${registry.host}/team/box:1`])).status).toBe(1)
    writeFileSync(authFile, "{ broken")
    const broken = await dhow.run(["pull", `${registry.host}/team/box:1`], { env })
    expect(broken.stderr).toContain(`WARNING: Error loading config file: Configuration file "${authFile}" is not JSON`)
    expect(broken.stderr).toContain("no basic auth credentials")
  })
})

/** Keeps one file for each registry in $SHELF. */
const HELPER = `#!/bin/sh
[ -n "$SHELF" ] || { echo "the shelf is locked"; exit 1; }
case $1 in
  store) read -r line; printf %s "$line" > "$SHELF/$(printf %s "$line" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/')" ;;
  get) read -r name; [ -f "$SHELF/$name" ] || { echo "credentials not found in native keychain"; exit 1; }; cat "$SHELF/$name" ;;
  erase) read -r name; case $name in */*) exit 1;; esac; rm "$SHELF/$name" 2>/dev/null || { echo "no such entry"; exit 1; } ;;
esac
`

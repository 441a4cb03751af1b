// Real clients push to the daemon's registry and pull from it: docker with its own daemon and with dhow's, podman and
// skopeo. Whatever way an image goes, it keeps its digest.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { CommandLine, dhow, docker, dockerProgram, type Outcome } from "../support/docker.ts"
import { hasDockerd, TestDockerd } from "../support/dockerd.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"

const hasSkopeo = Bun.which("skopeo") !== null
const hasPodman = Bun.which("podman") !== null
const engine = new TestEngine()
let host: string
let guarded: string

setDefaultTimeout(60_000)

beforeAll(async () => {
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb&tag=1", busyboxTar())
  host = (await dhow(engine).ok("registry", "serve", "127.0.0.1:0")).replace("http://", "")
  const users = join(engine.root, "users")
  writeFileSync(users, `alice:${Bun.password.hashSync("wonder:land", { algorithm: "bcrypt", cost: 4 })}\n`)
  const serve = ["registry", "serve", "127.0.0.1:0", "--htpasswd", users, "--anonymous-pull"]
  guarded = (await dhow(engine).ok(...serve)).replace("http://", "")
})
afterAll(async () => {
  await engine.destroy()
})

async function digestOf(name: string): Promise<string | null> {
  const [, ...path] = name.split("/")
  const [repository, tag] = path.join("/").split(":")
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, { method: "HEAD" })
  return answer.status === 200 ? answer.headers.get("docker-content-digest") : null
}
async function ok(command: CommandLine, ...args: readonly string[]): Promise<string> {
  const outcome: Outcome = await command.run(args, { patience: 50_000 })
  if (outcome.status !== 0) throw new Error(`${args.join(" ")}: ${outcome.stderr}${outcome.stdout}`)
  return outcome.stdout
}

describe.skipIf(!hasSkopeo)("skopeo", () => {
  const skopeo = new CommandLine(["skopeo", "--insecure-policy"], {})
  const copy = (from: string, to: string) =>
    ok(skopeo, "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", from, to)

  test("copies a local image out and in again under one digest", async () => {
    const there = `dir:${join(engine.root, "skopeo")}`
    await copy(`docker://${host}/bb:1`, there)
    await copy(there, `docker://${host}/skopeo/bb:1`)
    await copy(`docker://${host}/skopeo/bb:1`, `oci:${join(engine.root, "layout")}:1`)
    await copy(`oci:${join(engine.root, "layout")}:1`, `docker://${host}/skopeo/again:1`)
    expect(await digestOf(`${host}/skopeo/again:1`)).toBe(await digestOf(`${host}/skopeo/bb:1`))
  })

  test("pulls without a password where that is allowed, and pushes with one", async () => {
    await copy(`docker://${guarded}/bb:1`, `dir:${join(engine.root, "anonymous")}`)
    const push = ["copy", "--dest-tls-verify=false", `dir:${join(engine.root, "anonymous")}`, `docker://${guarded}/g:1`]
    expect((await skopeo.run(push)).status).not.toBe(0)
    await ok(skopeo, ...push, "--dest-creds", "alice:wonder:land")
    expect((await skopeo.run([...push, "--dest-creds", "alice:wrong"])).status).not.toBe(0)
  })
})

describe.skipIf(dockerProgram === undefined)("docker", () => {
  test("pushes and pulls through dhow's daemon, and runs what came back", async () => {
    const client = docker(engine)
    const name = `${host}/team/app:1`
    await ok(client, "tag", "bb:1", name)
    expect(await ok(client, "push", name)).toContain("digest: sha256:")
    const digest = await digestOf(name)
    await ok(client, "rmi", name)
    expect(await ok(client, "pull", name)).toContain(`Digest: ${digest}`)
    expect(await ok(client, "run", "--rm", "--network", "none", name, "echo", "round trip")).toBe("round trip\n")
  })

  test("logs in with a password and pushes where others only pull", async () => {
    const client = docker(engine)
    const name = `${guarded}/team/guarded:1`
    await ok(client, "tag", "bb:1", name)
    expect((await client.run(["push", name])).status).not.toBe(0)
    const login = ["login", "-u", "alice", "--password-stdin", guarded]
    expect(await client.run(login, { stdin: "wonder:land" })).toMatchObject({ status: 0 })
    await ok(client, "push", name)
    await ok(client, "logout", guarded)
    await ok(client, "pull", name)
  })

  test.skipIf(!hasDockerd)("with its own daemon pulls what was made here, and its push keeps the digest", async () => {
    const dockerd = new TestDockerd()
    try {
      await dockerd.start()
      const environment = { DOCKER_HOST: `unix://${dockerd.socket}`, DOCKER_CONFIG: join(dockerd.root, "home") }
      const client = new CommandLine([dockerProgram!], environment)
      expect(await ok(client, "pull", `${host}/bb:1`)).toContain(`Digest: ${await digestOf(`${host}/bb:1`)}`)
      const name = `${host}/docker/bb:1`
      await ok(client, "tag", `${host}/bb:1`, name)
      const said = /digest: (sha256:[0-9a-f]{64})/.exec(await ok(client, "push", name))?.[1]
      expect(said).toBe((await digestOf(name)) ?? "")
      const other = docker(engine)
      expect(await ok(other, "pull", name)).toContain(`Digest: ${said}`)
      expect(await ok(other, "run", "--rm", "--network", "none", name, "echo", "made by docker")).toBe(
        "made by docker\n",
      )
      await ok(client, "rmi", "-f", name)
      expect(await ok(client, "pull", name)).toContain(`Digest: ${said}`)
    } finally {
      await dockerd.stop()
    }
  })
})

describe.skipIf(!hasPodman)("podman", () => {
  test("pulls what was made here, and its push keeps the digest", async () => {
    const root = join(engine.root, "podman")
    // podman wants a short one.
    const runroot = mkdtempSync("/run/dhow-podman-")
    const podman = new CommandLine(
      ["podman", "--root", `${root}/root`, "--runroot", runroot, "--storage-driver", "vfs"],
      { HOME: root, XDG_RUNTIME_DIR: root },
    )
    await ok(podman, "pull", "--tls-verify=false", `${host}/bb:1`)
    await ok(podman, "push", "--tls-verify=false", `${host}/bb:1`, `docker://${host}/podman/bb:1`)
    const digest = await digestOf(`${host}/podman/bb:1`)
    await ok(podman, "rmi", "-f", `${host}/bb:1`)
    await ok(podman, "pull", "--tls-verify=false", `${host}/podman/bb:1`)
    const shown = await ok(podman, "image", "inspect", "--format", "{{.Digest}}", `${host}/podman/bb:1`)
    expect(shown.trim()).toBe(digest ?? "")
    await ok(podman, "rmi", "-af")
    rmSync(runroot, { recursive: true })
  })
})

describe.skipIf(!hasRegistry || dockerProgram === undefined)("a cache of Debian's docker-registry", () => {
  test("docker pulls through it, and once more when that registry is gone", async () => {
    const other = await TestRegistry.start()
    const client = docker(engine)
    try {
      await ok(client, "tag", "bb:1", `${other.host}/team/app:1`)
      await ok(client, "push", `${other.host}/team/app:1`)
      const serve = ["registry", "serve", "127.0.0.1:0", "--proxy", `far=${other.host}`]
      const cache = (await dhow(engine).ok(...serve)).replace("http://", "")
      const name = `${cache}/far/team/app:1`
      const digest = /Digest: (sha256:\S+)/.exec(await ok(client, "pull", name))?.[1]
      await other.stop()
      await ok(client, "rmi", name)
      expect(await ok(client, "pull", name)).toContain(`Digest: ${digest}`)
      expect(await dhow(engine).ok("registry", "status")).toMatch(/Cache: \d+ hits, \d+ misses/)
      await dhow(engine).ok("registry", "stop", cache)
    } finally {
      await other.stop()
    }
  })
})

describe("the daemon", () => {
  test("serves again after it was killed, with all that was pushed", async () => {
    const put = async (path: string, body: string) => {
      const digest = `sha256:${new Bun.CryptoHasher("sha256").update(body).digest("hex")}`
      const answer = await fetch(`http://${host}/v2/kept/blobs/uploads/?digest=${digest}`, { method: "POST", body })
      expect([path, answer.status]).toEqual([path, 201])
      return { mediaType: path, digest, size: body.length }
    }
    const type = "application/vnd.oci.image.manifest.v1+json"
    const config = await put("application/vnd.oci.image.config.v1+json", "{}")
    const body = JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers: [] })
    const headers = { "Content-Type": type }
    expect((await fetch(`http://${host}/v2/kept/manifests/1`, { method: "PUT", body, headers })).status).toBe(201)
    await engine.kill()
    await engine.start()
    expect(await (await fetch(`http://${host}/v2/kept/manifests/1`)).text()).toBe(body)
    expect(await (await fetch(`http://${host}/v2/kept/blobs/${config.digest}`)).text()).toBe("{}")
  })

  test("says where it serves, what it has, and takes it away again", async () => {
    const command = dhow(engine)
    const status = await command.ok("registry", "status")
    expect(status).toContain(`http://${host}`)
    expect(status).toMatch(/serving +users push, everybody pulls/)
    expect((await command.ok("registry", "ls", "-q")).split("\n")).toContain("kept")
    const tags = JSON.parse(await command.ok("registry", "ls", "kept", "--format", "json")) as { Tag: string }
    expect(tags).toMatchObject({ Name: "kept", Tag: "1" })
    expect(await command.ok("registry", "rm", "kept:1")).toBe("Removed: kept:1")
    const again = await command.run(["registry", "rm", "kept:1"])
    expect([again.status, again.stderr]).toEqual([1, 'dhow: Repository "kept" has no tag "1"\n'])
    expect(await command.ok("registry", "gc", "--untagged", "--grace", "0s", "--dry-run")).toContain(
      "no tag and no index",
    )
    expect(await command.ok("registry", "gc", "--untagged", "--grace", "0s")).toContain("Total reclaimed space: ")
    expect((await command.ok("registry", "ls", "-q")).split("\n")).not.toContain("kept")
    await command.ok("registry", "retention", "--keep-last", "3", "--unused-for", "30d", "team/*")
    expect(await command.ok("registry", "retention")).toMatch(/team\/\* +3 +30d$/m)
    await command.ok("registry", "retention", "--remove", "team/*")
    expect(await command.ok("registry", "stop", guarded)).toBe(guarded)
    expect((await command.run(["registry", "stop", guarded])).stderr).toContain(`is not served on "${guarded}"`)
    const refused = await command.run(["registry", "serve", "0.0.0.0:0"])
    expect(refused.stderr).toContain("without TLS and passwords: others reach it than this machine")
    const taken = await command.run(["registry", "serve", host, "--read-only"])
    expect(taken).toMatchObject({ status: 0, stdout: `http://${host}\n` })
    expect((await fetch(`http://${host}/v2/a/blobs/uploads/`, { method: "POST" })).status).toBe(405)
  })
})

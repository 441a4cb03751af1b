// The registry server: dhow's beside Debian's docker-registry (in docker's column), and nginx sending the same file as
// the floor. The client is curl, so that the time is the server's and the kernel's.
import { randomBytes } from "node:crypto"
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { type Engine, end } from "../engines/engine.ts"
import type { Fixtures } from "../fixtures.ts"
import { isolatedDirectory } from "../isolate.ts"
import { run, time } from "../process.ts"
import type { Case, Session } from "./case.ts"

const SIZE = 256 << 20
const AT_ONCE = 8
const ADDRESS = "127.0.0.1:5601"
const FLOOR_ADDRESS = "127.0.0.1:5602"
const REPOSITORY = "bench/blob"

export const REGISTRY: Case = {
  name: "registry",
  results: {
    pull: { title: "registry: a cached blob of 256 MiB", unit: "time" },
    pulls: { title: `registry: the same, ${AT_ONCE} clients at once`, unit: "time" },
    push: { title: "registry: a new blob of 256 MiB is pushed", unit: "time" },
  },
  rounds: (rounds) => Math.max(3, Math.ceil(rounds / 2)),
  open: openRegistrySession,
  floor: () => nginxSession(join(isolatedDirectory() ?? "", "nginx")),
}

async function openRegistrySession(engine: Engine, fixtures: Fixtures): Promise<Session | undefined> {
  const base = await registryOf(engine, fixtures)
  if (base === undefined || Bun.which("curl") === null) return undefined
  const file = join(fixtures.directory, `${engine.name}-blob`)
  writeRandom(file)

  /** Seconds apart from the question where to: that is one small request more. */
  async function push(): Promise<{ readonly digest: string; readonly milliseconds: number }> {
    const fd = openSync(file, "r+")
    writeSync(fd, randomBytes(64), 0, 64, 0)
    closeSync(fd)
    const digest = `sha256:${(await run(["sha256sum", file])).slice(0, 64)}`
    const begun = await fetch(`${base}/v2/${REPOSITORY}/blobs/uploads/`, { method: "POST" })
    const at = new URL(begun.headers.get("location") ?? "", base)
    at.searchParams.set("digest", digest)
    return { digest, milliseconds: await time(["curl", "-sSf", "-H", "Expect:", "-T", file, at.href]) }
  }

  const { digest } = await push()
  const url = `${base}/v2/${REPOSITORY}/blobs/${digest}`
  return {
    async measure() {
      const pulled = { pull: await time(pull(url)), pulls: await time(several(url)) }
      return { ...pulled, push: (await push()).milliseconds }
    },
    async close() {
      if (engine.name === "dhow") {
        await run([...engine.cli, "registry", "stop", ADDRESS])
        await run([...engine.cli, "registry", "rm", REPOSITORY])
      } else (await fixtures.registry())?.clear()
      rmSync(file)
    },
  }
}

async function registryOf({ name, cli }: Engine, fixtures: Fixtures): Promise<string | undefined> {
  if (name === "dhow") return (await run([...cli, "registry", "serve", "--listen", ADDRESS])).trim()
  const registry = name === "docker" ? await fixtures.registry() : undefined
  return registry === undefined ? undefined : `http://${registry.host}`
}

/** nginx with what makes it fastest: files sent by the kernel, no log. */
function nginxSession(directory: string): Session {
  let server: Bun.Subprocess | undefined
  const url = `http://${FLOOR_ADDRESS}/blob`

  async function start(): Promise<void> {
    mkdirSync(directory, { recursive: true })
    writeRandom(join(directory, "blob"))
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (what) => `${what}_temp_path ${directory}/${what};`,
    )
    writeFileSync(
      join(directory, "nginx.conf"),
      `daemon off; user root; worker_processes auto; pid ${directory}/pid; error_log ${directory}/errors; events {}
       http { access_log off; sendfile on; tcp_nopush on; ${temporary.join(" ")}
         server { listen ${FLOOR_ADDRESS}; root ${directory}; } }`,
    )
    server = Bun.spawn(["nginx", "-c", join(directory, "nginx.conf")], { stdio: ["ignore", "ignore", "inherit"] })
    while (!existsSync(join(directory, "pid"))) {
      if (server.exitCode !== null) throw new Error(`nginx ended with ${server.exitCode}`)
      await Bun.sleep(20)
    }
    await time(pull(url))
  }

  return {
    async measure() {
      if (Bun.which("nginx") === null) return {}
      if (server === undefined) await start()
      return { pull: await time(pull(url)), pulls: await time(several(url)) }
    },
    async close() {
      if (server !== undefined) await end(server)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function pull(url: string): readonly string[] {
  return ["curl", "-sSf", "-o", "/dev/null", url]
}

function several(url: string): readonly string[] {
  const script = 'for i in $(seq "$0"); do curl -sSf -o /dev/null "$1" & done; wait'
  return ["sh", "-c", script, String(AT_ONCE), url]
}

function writeRandom(path: string): void {
  const fd = openSync(path, "w")
  for (let at = 0; at < SIZE; at += 4 << 20) writeSync(fd, randomBytes(4 << 20))
  closeSync(fd)
}

// A registry of the distribution on a loopback port, over a directory of its own; and a relay before it that counts what
// goes through and can break off.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, request as forward, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const PROGRAM = Bun.which("docker-registry")
/** Whether this machine has what the tests need. */
export const hasRegistry = PROGRAM !== null && Bun.which("skopeo") !== null

export class TestRegistry {
  readonly host: string
  readonly directory: string
  readonly #process: Bun.Subprocess

  private constructor(host: string, directory: string, process: Bun.Subprocess) {
    this.host = host
    this.directory = directory
    this.#process = process
  }

  static async start(
    options: {
      readonly users?: Readonly<Record<string, string>>
      readonly tls?: { readonly certificate: string; readonly key: string; readonly clientcas?: readonly string[] }
      /** What the registry asks clients to get a token from (test/support/token-server.ts). */
      readonly token?: Readonly<Record<"realm" | "service" | "issuer" | "rootcertbundle", string>>
    } = {},
  ): Promise<TestRegistry> {
    const directory = mkdtempSync(join(tmpdir(), "dhow-registry-"))
    mkdirSync(join(directory, "data"))
    const users = Object.entries(options.users ?? {})
    const passwords = users.map(
      ([name, password]) => `${name}:${Bun.password.hashSync(password, { algorithm: "bcrypt", cost: 4 })}`,
    )
    writeFileSync(join(directory, "users"), `${passwords.join("\n")}\n`)
    const config = {
      version: 0.1,
      log: { level: "info" },
      storage: { filesystem: { rootdirectory: join(directory, "data") }, delete: { enabled: true } },
      http: { addr: "127.0.0.1:0", ...(options.tls === undefined ? {} : { tls: options.tls }) },
      ...(options.token === undefined ? {} : { auth: { token: options.token } }),
      ...(users.length === 0 ? {} : { auth: { htpasswd: { realm: "test", path: join(directory, "users") } } }),
    }
    // JSON is YAML.
    writeFileSync(join(directory, "config.yml"), JSON.stringify(config))
    const child = Bun.spawn([PROGRAM!, "serve", join(directory, "config.yml")], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: "/usr/bin:/bin", OTEL_TRACES_EXPORTER: "none" },
    })
    const decoder = new TextDecoder()
    let said = ""
    const reader = child.stderr.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) throw new Error(`The registry ended before it served: ${said.slice(-2000)}`)
      said += decoder.decode(value)
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]
      if (port === undefined) continue
      void drain(() => reader.read())
      return new TestRegistry(`127.0.0.1:${port}`, directory, child)
    }
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL")
    await this.#process.exited
    rmSync(this.directory, { recursive: true, force: true })
  }
}

async function drain(read: () => Promise<{ done: boolean }>): Promise<void> {
  while (!(await read()).done);
}

/** Runs skopeo, without TLS where it speaks to a registry; throws with what it said. */
export function skopeo(...args: readonly string[]): string {
  const result = Bun.spawnSync(["skopeo", "--insecure-policy", ...args])
  if (result.exitCode !== 0) throw new Error(`skopeo ${args.join(" ")}: ${result.stderr.toString()}`)
  return result.stdout.toString()
}

export type Seen = { readonly method: string; readonly path: string; readonly range: string | undefined; bytes: number }

/** Sends everything on to `host`; blobs leave at `bytesPerMillisecond` where that is set. */
export class Relay {
  readonly seen: Seen[] = []
  bytesPerMillisecond: number | undefined
  /** How many uploads are cut off from now on. */
  breakUploads = 0
  readonly #server: Server

  constructor(host: string) {
    this.#server = createServer((request, response) => {
      const path = request.url ?? "/"
      const { range } = request.headers
      const seen: Seen = { method: request.method ?? "GET", path, range, bytes: 0 }
      this.seen.push(seen)
      if (request.method === "PATCH" && this.breakUploads > 0) {
        this.breakUploads--
        return void request.socket.destroy()
      }
      const [hostname, port] = host.split(":")
      const upstream = forward(
        { hostname, port, path, method: request.method, headers: request.headers },
        async (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers)
          for await (const chunk of answer) {
            const bytes = chunk as Buffer
            for (let at = 0; at < bytes.length && !response.destroyed; at += STEP) {
              const part = bytes.subarray(at, at + STEP)
              seen.bytes += part.length
              if (!response.write(part)) {
                const { promise, resolve } = Promise.withResolvers<void>()
                response.once("drain", resolve).once("close", resolve)
                await promise
                response.off("drain", resolve).off("close", resolve)
              }
              if (this.bytesPerMillisecond !== undefined && path.includes("/blobs/"))
                await Bun.sleep(part.length / this.bytesPerMillisecond)
            }
            if (response.destroyed) return void answer.destroy()
          }
          response.end()
        },
      )
      upstream.on("error", () => response.destroy())
      request.pipe(upstream)
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  blobs(): readonly Seen[] {
    return this.seen.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"))
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

const STEP = 16 << 10

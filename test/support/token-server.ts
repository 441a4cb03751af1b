// A token server for a registry of the distribution: users with passwords, tokens signed with a key of its own, identity
// tokens for those who ask for one. Everybody may pull; only users may push, and search.
import { createPrivateKey, randomUUID, sign } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const ISSUER = "tokens.test"
const SERVICE = "registry.test"

export type TokenRequest = { readonly method: string; readonly user: string | undefined; readonly scopes: string[] }

export class TokenServer {
  readonly requests: TokenRequest[] = []
  /** What is refused from now on, to see what becomes of kept ones. */
  readonly identityTokens = new Map<string, string>()
  readonly #directory = mkdtempSync(join(tmpdir(), "dhow-tokens-"))
  readonly #users: Readonly<Record<string, string>>
  readonly #server

  constructor(users: Readonly<Record<string, string>>) {
    this.#users = users
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"]
    const made = Bun.spawnSync(
      ["openssl", "req", "-x509", ...key, "-out", "cert.pem", "-days", "2", "-subj", `/CN=${ISSUER}`],
      { cwd: this.#directory },
    )
    if (made.exitCode !== 0) throw new Error(made.stderr.toString())
    this.#server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => this.#answer(request) })
  }

  /** For the registry's configuration. */
  get settings() {
    const rootcertbundle = join(this.#directory, "cert.pem")
    return { realm: `http://127.0.0.1:${this.#server.port}/token`, service: SERVICE, issuer: ISSUER, rootcertbundle }
  }

  async stop(): Promise<void> {
    await this.#server.stop(true)
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const form = request.method === "POST" ? new URLSearchParams(await request.text()) : url.searchParams
    const scopes = form.getAll("scope").flatMap((scope) => scope.split(" ").filter(Boolean))
    const basic = /^Basic (.*)$/.exec(request.headers.get("authorization") ?? "")?.[1]
    const [name = "", ...password] = basic === undefined ? [] : Buffer.from(basic, "base64").toString().split(":")
    let user: string | undefined
    if (request.method === "POST") user = this.identityTokens.get(form.get("refresh_token") ?? "")
    else if (basic !== undefined && this.#users[name] === password.join(":")) user = name
    this.requests.push({ method: request.method, user, scopes })
    if (user === undefined && (basic !== undefined || request.method === "POST"))
      return Response.json({ details: "incorrect username or password" }, { status: 401 })
    let identity: string | undefined
    if (form.get("offline_token") === "true" && user !== undefined) {
      identity = randomUUID()
      this.identityTokens.set(identity, user)
    }
    const token = this.#token(user, scopes)
    return Response.json({ token, access_token: token, expires_in: 300, refresh_token: identity })
  }

  #token(user: string | undefined, scopes: readonly string[]): string {
    const access = scopes.flatMap((scope) => {
      const [, type = "", name = "", actions = ""] = /^([a-z]+):(.*):([^:]*)$/.exec(scope) ?? []
      const allowed = actions.split(",").filter((action) => action === "pull" || user !== undefined)
      return [{ type, name, actions: allowed }]
    })
    const pem = readFileSync(join(this.#directory, "cert.pem"), "utf8").replace(/-----[A-Z ]+-----|\s/g, "")
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: ISSUER,
      sub: user ?? "",
      aud: SERVICE,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    }
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")
    const text = `${encode({ typ: "JWT", alg: "ES256", x5c: [pem] })}.${encode(claims)}`
    const key = createPrivateKey(readFileSync(join(this.#directory, "key.pem")))
    return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`
  }
}

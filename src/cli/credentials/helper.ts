// Programs named docker-credential-<name> that keep secrets: a verb as argument, the registry or JSON on standard input,
// JSON or a reason on standard output. What they say to the user, on standard error and the terminal, is theirs.
import { DhowError, errnoName } from "../../lib/errors.ts"
import type { AuthConfig } from "../../wire/registry.ts"

/** What a helper answers where it keeps nothing for a registry. */
const NOT_FOUND = "credentials not found in native keychain"
/** In place of a user's name: the secret is an identity token. */
const TOKEN_USER = "<token>"

/** Undefined where the helper keeps nothing for `server`. */
export function getFromHelper(name: string, server: string): AuthConfig | undefined {
  const { ok, out, reason } = call(name, "get", server)
  if (!ok) {
    if (out === NOT_FOUND) return undefined
    throw new DhowError("invalid", `error getting credentials - err: ${reason}, out: \`${out}\``)
  }
  let value: { Username?: unknown; Secret?: unknown }
  try {
    value = JSON.parse(out)
  } catch (cause) {
    throw new DhowError("invalid", `Credential helper "docker-credential-${name}" answered with no JSON`, { cause })
  }
  const username = typeof value?.Username === "string" ? value.Username : ""
  const secret = typeof value?.Secret === "string" ? value.Secret : ""
  if (username === TOKEN_USER) return { identitytoken: secret, serveraddress: server }
  return { username, password: secret, serveraddress: server }
}

export function storeInHelper(name: string, server: string, auth: AuthConfig): void {
  const { identitytoken } = auth
  const Username = identitytoken === undefined ? (auth.username ?? "") : TOKEN_USER
  const Secret = identitytoken ?? auth.password ?? ""
  const { ok, out, reason } = call(name, "store", `${JSON.stringify({ ServerURL: server, Username, Secret })}\n`)
  if (!ok) throw new DhowError("invalid", `error storing credentials - err: ${reason}, out: \`${out}\``)
}

export function eraseFromHelper(name: string, server: string): void {
  const { ok, out, reason } = call(name, "erase", server)
  if (!ok) throw new DhowError("invalid", `error erasing credentials - err: ${reason}, out: \`${out}\``)
}

type Outcome = { readonly ok: boolean; readonly out: string; readonly reason: string }

function call(name: string, verb: string, input: string): Outcome {
  const program = `docker-credential-${name}`
  try {
    const { exitCode, signalCode, stdout } = Bun.spawnSync([program, verb], {
      stdin: Buffer.from(input),
      stdout: "pipe",
      stderr: "inherit",
      env: process.env,
    })
    const reason = signalCode === undefined ? `exit status ${exitCode}` : `signal: ${signalCode}`
    return { ok: exitCode === 0, out: stdout.toString().trim(), reason }
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw error
    const reason = `exec: ${JSON.stringify(program)}: executable file not found in $PATH`
    return { ok: false, out: "", reason }
  }
}

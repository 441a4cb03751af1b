// dhow login: shows a registry a name and a password, through the daemon, and keeps them for later where docker's client
// looks for them too.
import type { Client } from "../../client/client.ts"
import { loginToRegistry } from "../../client/registries.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { hideInput, isTerminal } from "../../lib/syscalls/terminal.ts"
import type { AuthConfig } from "../../wire/registry.ts"
import { defineCommand } from "../command.ts"
import { HUB_KEY, hostOf } from "../credentials/address.ts"
import { ENVIRONMENT_KEY, findCredentials, storeCredentials } from "../credentials/credentials.ts"
import { messageOf } from "../failure.ts"
import { boolean, string } from "../flags/flags.ts"
import { print, printError, writeAll } from "../output.ts"
import { readDescriptor } from "../terminal/descriptors.ts"

export const login = defineCommand({
  usage: "[OPTIONS] [SERVER]",
  summary: "Log in to a registry, Docker Hub where none is named",
  flags: {
    password: string("p", "Password or access token; others on this machine can see it"),
    "password-stdin": boolean("", "Read the password or access token from standard input"),
    username: string("u", "User name"),
  } as const,
  args: [0, 1],
  examples: ["dhow login registry.example.com", "dhow login -u alice --password-stdin localhost:5000 < password.txt"],
  async run({ client }, flags, [address = ""]) {
    const { username, password } = flags
    const isPiped = flags["password-stdin"] === true
    if (isPiped && password !== undefined)
      throw new DhowError("invalid", "conflicting options: cannot specify both --password and --password-stdin")
    if (isPiped && username === undefined)
      throw new DhowError("invalid", "the --password-stdin option requires --username to be set")
    if (username === "") throw new DhowError("invalid", "username is empty")
    if (password === "") throw new DhowError("invalid", "password is empty")
    if (password !== undefined) printError("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    const given = { username: username?.trim(), password: isPiped ? await pipedPassword() : password }
    warnOfEnvironment()
    const server = address === "" || address === "docker.io" ? HUB_KEY : address
    const key = server === HUB_KEY ? HUB_KEY : hostOf(server)
    print(await logIn(client, key, given))
    return 0
  },
})

export function warnOfEnvironment(): void {
  if (process.env[ENVIRONMENT_KEY])
    printError(`WARNING: ${ENVIRONMENT_KEY} is set and takes precedence. Unset it to use what is stored.`)
}

type Given = { readonly username: string | undefined; readonly password: string | undefined }

/** Returns what the daemon said of it. */
async function logIn(client: Client, server: string, given: Given): Promise<string> {
  const known = given.username || given.password ? undefined : findCredentials(server)
  if (known?.username && known.password) {
    try {
      return await loginAsBefore(client, server, known)
    } catch (error) {
      if (isKind(error, "unauthorized")) printError("Stored credentials invalid or expired")
      else printError(`Login did not succeed, error: ${messageOf(error)}`)
    }
  }
  const asked = await askFor(server, given, known?.username)
  return await loginAndStore(client, server, asked)
}

async function loginAsBefore(client: Client, server: string, auth: AuthConfig): Promise<string> {
  printError(`Authenticating with existing credentials... [Username: ${auth.username}]`)
  printError("To log in as somebody else: dhow logout, then dhow login\n")
  const { username, password } = auth
  return await loginAndStore(client, server, { username: username!, password: password! })
}

async function loginAndStore(
  client: Client,
  server: string,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<string> {
  const answer = await loginToRegistry(client, { username, password, serveraddress: server })
  const token = answer.IdentityToken
  const path = storeCredentials(server, token ? { username, identitytoken: token } : { username, password })
  if (path !== undefined)
    printError(
      `\nWARNING! Your credentials are stored unencrypted in '${path}'.\n` +
        'A credential helper keeps them safe: name one under "credsStore" in that file.\n',
    )
  return answer.Status
}

async function askFor(server: string, { username, password }: Given, before: string | undefined) {
  if ((!username || !password) && !isTerminal(0))
    throw new DhowError("invalid", "Error: Cannot perform an interactive login from a non TTY device")
  if (server === HUB_KEY && !username) print("Log in to Docker Hub with your Docker ID, or name another registry.")
  const user = username || (await ask(before ? `Username (${before}): ` : "Username: ")) || before
  if (!user) throw new DhowError("invalid", "Error: Non-null Username Required")
  const secret = password?.trim() ? password : await askHidden("Password: ")
  if (!secret) throw new DhowError("invalid", "Error: Password Required")
  return { username: user, password: secret }
}

async function ask(question: string): Promise<string> {
  writeAll(1, question)
  let text = ""
  for await (const chunk of readDescriptor(0)) {
    text += Buffer.from(chunk).toString()
    if (text.includes("\n")) break
  }
  return text.split("\n")[0]!.trim()
}

async function askHidden(question: string): Promise<string> {
  const restore = hideInput(0)
  // Ended by Ctrl-C in between, the terminal must not stay blind.
  const interrupted = (): void => {
    restore()
    process.exit(130)
  }
  process.once("SIGINT", interrupted)
  try {
    return await ask(question)
  } finally {
    process.off("SIGINT", interrupted)
    restore()
    writeAll(1, "\n")
  }
}

/** Without the line's end, and nothing else taken off. */
async function pipedPassword(): Promise<string> {
  const chunks = await Array.fromAsync(readDescriptor(0))
  return Buffer.concat(chunks).toString("utf8").replace(/\n$/, "").replace(/\r$/, "")
}

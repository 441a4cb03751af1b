// Who the user is to a registry, as an API client sends it: base64url JSON in the header X-Registry-Auth.

export type Credentials = {
  readonly username?: string
  readonly password?: string
  /** Exchanged for access tokens, in place of a password. */
  readonly identityToken?: string
  /** Sent as it is. */
  readonly registryToken?: string
}

/** Undefined for nothing, and for what cannot be read: Docker ignores a malformed header, and clients rely on it. */
export function parseRegistryAuth(header: string | undefined): Credentials | undefined {
  if (header === undefined || header === "") return undefined
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(header, "base64url").toString("utf8"))
  } catch {
    return undefined
  }
  return parseFields(value)
}

function parseFields(value: unknown): Credentials | undefined {
  if (typeof value !== "object" || value === null) return undefined
  const fields = value as Record<string, unknown>
  const text = (name: string): string | undefined => {
    const field = fields[name]
    return typeof field === "string" && field !== "" ? field : undefined
  }
  const joined = text("auth") === undefined ? undefined : splitBasic(text("auth")!)
  return pick({
    username: text("username") ?? joined?.username,
    password: text("password") ?? joined?.password,
    identityToken: text("identitytoken"),
    registryToken: text("registrytoken"),
  })
}

const HUB_KEYS = ["https://index.docker.io/v1", "docker.io", "index.docker.io"]

/** Who the user is to one registry, out of the header X-Registry-Config: base64url JSON of the above, by registry. */
export function parseRegistryConfig(header: string | undefined, domain: string): Credentials | undefined {
  if (header === undefined || header === "") return undefined
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(header, "base64url").toString("utf8"))
  } catch {
    return undefined
  }
  const entries = Object.entries((value ?? {}) as Record<string, unknown>)
  const keys = domain === "docker.io" ? HUB_KEYS : [domain, `https://${domain}`, `http://${domain}`]
  const found = entries.find(([key]) => keys.includes(key.replace(/\/$/, "")))
  return found === undefined ? undefined : parseFields(found[1])
}

export function basicHeader({ username = "", password = "" }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`
}

function splitBasic(text: string): { username: string; password: string } | undefined {
  const plain = Buffer.from(text, "base64").toString("utf8")
  const colon = plain.indexOf(":")
  if (colon < 0) return undefined
  return { username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, "") }
}

function pick(fields: Record<keyof Credentials, string | undefined>): Credentials | undefined {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return given.length === 0 ? undefined : (Object.fromEntries(given) as Credentials)
}

// How one endpoint is reached, looked up once for each session: a renewed certificate or login needs no restart.
import { readFileSync } from "node:fs"
import { DhowError } from "../lib/errors.ts"
import { type Tls, tlsFor } from "./certificates.ts"
import { type Credentials, parseRegistryConfig } from "./credentials.ts"
import { type Endpoint, settleEndpoint } from "./endpoints.ts"

export type Reach = {
  /** In the order in which they are tried. */
  readonly schemes: Endpoint["schemes"]
  readonly tls: Tls
  readonly credentials: Credentials | undefined
}

/** `given` are the user's, for the registry that was named; the settings may know others for the host. */
export async function reach(
  endpoint: Endpoint,
  { certificates, given }: { readonly certificates: readonly string[]; readonly given: Credentials | undefined },
): Promise<Reach> {
  const settled = await settleEndpoint(endpoint)
  const own = endpoint.isNamed ? given : undefined
  return {
    schemes: settled.schemes,
    tls: tlsFor(settled, certificates),
    credentials: own ?? (endpoint.auth === undefined ? undefined : credentialsIn(endpoint.auth, endpoint)),
  }
}

function credentialsIn(path: string, { host, named }: Endpoint): Credentials | undefined {
  try {
    const { auths } = JSON.parse(readFileSync(path, "utf8")) as { auths?: unknown }
    return parseRegistryConfig(Buffer.from(JSON.stringify(auths ?? {})).toString("base64url"), named)
  } catch (cause) {
    throw new DhowError("invalid", `Cannot read "${path}", the logins of registry "${host}"`, { cause })
  }
}

// Showing a registry who the user is, and nothing more: a question to /v2/ that must be answered with 200. Nothing that
// other sessions have found out is used, so that an old token never stands in for a wrong password.
import { DhowError } from "../lib/errors.ts"
import { RefusedError } from "./answer-error.ts"
import type { Login } from "./contract.ts"
import type { Endpoint } from "./endpoints.ts"
import { Memory, Session, type SessionOptions } from "./session.ts"

type Options = Login & Pick<SessionOptions, "pace" | "patience" | "certificates">

export async function logIn(
  endpoint: Endpoint,
  { credentials, signal, ...options }: Options,
): Promise<string | undefined> {
  let identity: string | undefined
  const memory = new Memory()
  const session = new Session(endpoint, {
    ...options,
    memory,
    access: "pull",
    credentials,
    onIdentityToken: (token) => {
      identity = token
    },
  })
  try {
    const answer = await session.send({ method: "GET", at: "/v2/", scopes: [], expect: [200, 401], signal })
    await answer.discard()
    if (answer.status === 200) return identity
    throw new DhowError(
      "unauthorized",
      `login attempt to ${answer.url.origin}/v2/ failed with status: 401 Unauthorized`,
    )
  } catch (error) {
    if (!(error instanceof RefusedError) || (error.status !== 401 && error.status !== 403)) throw error
    const scheme = memory.schemes.get(endpoint.host) ?? "https"
    throw new DhowError("unauthorized", `Get "${scheme}://${endpoint.host}/v2/": ${error.message}`, { cause: error })
  }
}

// Bearer tokens, for registries where whoever has no password may pull: clients send a password only to who asks for
// tokens this way. A token says until when and what for, and is signed with a key that ends with the listener.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"

const SECONDS = 300

export type Grant = "pull" | "push"

export class Tokens {
  readonly #key = randomBytes(32)

  issue(grant: Grant): { readonly token: string; readonly expires_in: number; readonly issued_at: string } {
    const payload = `${grant}.${Date.now() + SECONDS * 1000}`
    return {
      token: `${payload}.${this.#sign(payload)}`,
      expires_in: SECONDS,
      issued_at: new Date().toISOString(),
    }
  }

  /** What the token allows; nothing where it is not ours or too old. */
  read(token: string): Grant | undefined {
    const [grant = "", expires = "", signature = ""] = token.split(".")
    const expected = Buffer.from(this.#sign(`${grant}.${expires}`))
    const given = Buffer.from(signature)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    if (Number(expires) < Date.now()) return undefined
    return grant === "push" || grant === "pull" ? grant : undefined
  }

  #sign(payload: string): string {
    return createHmac("sha256", this.#key).update(payload).digest("base64url")
  }
}

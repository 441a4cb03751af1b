// Why there was no answer: one reason in words for each of the runtime's codes, and what the user can do about it.
import { DhowError, errnoName } from "../lib/errors.ts"

/** A connection that could not be made, broke, or fell silent: worth another try unless `isFinal`. */
export class ConnectionError extends DhowError {
  readonly isFinal: boolean
  /** Without a cause: what lies beneath says no more, and may hold an address with a secret in it. */
  constructor(message: string, isFinal: boolean, hint?: string) {
    super("unavailable", message, hint === undefined ? {} : { hint })
    this.isFinal = isFinal
  }
}

export type Reason = { readonly text: string; readonly isFinal: boolean; readonly hint?: string }

const CERTIFICATES = "/etc/dhow/certs.d"

export function reasonOf(cause: unknown, { host, hostname }: URL): Reason {
  const code = errnoName(cause) ?? ""
  if (/REFUSED/i.test(code)) return { text: "connection refused", isFinal: true }
  if (/NOTFOUND|AI_AGAIN|ENODATA|DNS/i.test(code))
    return { text: "no such host", isFinal: /NOTFOUND|ENODATA/i.test(code) }
  if (/RESET|ConnectionClosed|EPIPE/i.test(code)) return { text: "the connection broke off", isFinal: false }
  if (/CERT_HAS_EXPIRED/.test(code)) return { text: "its certificate has expired", isFinal: true }
  if (/CERT_NOT_YET_VALID/.test(code)) return { text: "its certificate is not valid yet", isFinal: true }
  if (/ALTNAME/.test(code)) return { text: `its certificate is not for "${hostname}"`, isFinal: true }
  if (/ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY|CERT_UNTRUSTED/.test(code))
    return {
      text: "certificate signed by unknown authority",
      isFinal: true,
      hint: `Put the certificate of its authority into ${CERTIFICATES}/${host}/ca.crt`,
    }
  if (/EPROTO|SSL|TLS/.test(code))
    return {
      text: "the TLS handshake failed",
      isFinal: true,
      hint:
        `If it speaks plain HTTP, add "${host}" to "insecure-registries"; ` +
        `if it wants a certificate from you, put client.cert and client.key into ${CERTIFICATES}/${host}`,
    }
  if (/Malformed|InvalidHTTP/i.test(code)) return { text: "the answer is not HTTP", isFinal: false }
  const isFinal = /CERT|SIGNED|VERIFY|InvalidURL|HTTP_PROXY/i.test(code)
  // The runtime's own words, without its advice to programmers.
  const text = (cause instanceof Error ? cause.message : String(cause)).replace(/ fetching ".*$/s, "")
  return { text, isFinal }
}

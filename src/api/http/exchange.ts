// A request being answered: its body, its signal, and whether another request may follow on the connection.
import { DhowError } from "../../lib/errors.ts"
import type { RequestBody } from "./body.ts"
import type { BodyDecoder } from "./framing.ts"
import { hasToken, type RequestHead } from "./head.ts"
import type { HttpRequest } from "./reply.ts"

export class Exchange {
  readonly request: HttpRequest
  readonly body: RequestBody
  readonly decoder: BodyDecoder
  keepAlive: boolean
  #controller: AbortController | undefined
  #aborted = false

  constructor(
    head: RequestHead,
    body: RequestBody,
    options: { decoder: BodyDecoder; peer: HttpRequest["peer"]; caller: HttpRequest["caller"] },
  ) {
    const { decoder, peer, caller } = options
    this.decoder = decoder
    this.body = body
    const connection = head.headers.get("connection")
    this.keepAlive = head.minorVersion === 1 ? !hasToken(connection, "close") : hasToken(connection, "keep-alive")
    const signal = (): AbortSignal => this.signal
    this.request = {
      ...head,
      body,
      ...(peer === undefined ? {} : { peer }),
      ...(caller === undefined ? {} : { caller }),
      get signal() {
        return signal()
      },
    }
  }

  /** Made on first use: most requests are answered without anybody asking. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted) this.abort()
    }
    return this.#controller.signal
  }

  abort(): void {
    this.#aborted = true
    this.#controller?.abort(new DhowError("cancelled", "The client went away"))
  }
}

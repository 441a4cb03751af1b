// What a handler answers, as data: the connection sends it. A reply is whole, streamed, or takes the connection over.
import type { Caller } from "../../engine/contract.ts"
import type { Asker } from "../../wire/exit.ts"
import type { RequestBody } from "./body.ts"
import type { RequestHead } from "./head.ts"

export type HttpRequest = RequestHead & {
  readonly body: RequestBody
  /** Aborted when the client goes away before its answer is complete. */
  readonly signal: AbortSignal
  /** Who the client is, as far as the kernel tells; only to be asked while it waits. */
  readonly peer?: () => Asker | undefined
  readonly caller?: () => Caller | undefined
}

export type Headers = Readonly<Record<string, string>>

/** Takes bytes; false asks to wait for `drained`, which also resolves when the taker is gone. */
export type ByteSink = {
  write(chunk: Uint8Array): boolean
  drained(): Promise<void>
  end(): void
}

export type BodyWriter = {
  write(chunk: Uint8Array | string): boolean
  /** As `write`, with some bytes put in front. */
  writeFramed(frame: Uint8Array, chunk: Uint8Array): boolean
  drained(): Promise<void>
  /** Whether earlier bytes still wait for the client. */
  readonly backlogged: boolean
}

/** The connection itself, after an answer that hands it over. */
export type RawStream = {
  write(chunk: Uint8Array): boolean
  writeFramed(frame: Uint8Array, chunk: Uint8Array): boolean
  drained(): Promise<void>
  /** No more output: closes our side once everything is written, then the connection. */
  end(): void
  /** Everything the client sends goes to `sink`, with its pace; `end` is the client's half-close, or its leaving. */
  readInto(sink: ByteSink): void
  /** Aborted when the client has gone away. */
  readonly signal: AbortSignal
}

export type Reply =
  | {
      readonly kind: "whole"
      readonly status: number
      readonly headers?: Headers
      readonly body?: string | Uint8Array
    }
  | {
      readonly kind: "stream"
      readonly status: number
      readonly headers?: Headers
      /** The head is sent before; when this throws, the connection breaks off so that the client notices. */
      send(out: BodyWriter): Promise<void>
    }
  | {
      readonly kind: "hijack"
      readonly contentType: { readonly upgraded: string; readonly plain: string }
      /** The fields of a 101 that is due whatever the request's "Upgrade" names. */
      readonly opening?: Headers
      take(raw: RawStream): void
    }

export type Handler = (request: HttpRequest) => Reply | Promise<Reply>

const JSON_HEADERS: Headers = { "Content-Type": "application/json" }

export function json(status: number, value: unknown, headers?: Headers): Reply {
  return {
    kind: "whole",
    status,
    headers: headers === undefined ? JSON_HEADERS : { ...JSON_HEADERS, ...headers },
    body: `${JSON.stringify(value)}\n`,
  }
}

export function empty(status: number, headers?: Headers): Reply {
  return headers === undefined ? { kind: "whole", status } : { kind: "whole", status, headers }
}

export function streamed(contentType: string, send: (out: BodyWriter) => Promise<void>, headers: Headers = {}): Reply {
  return { kind: "stream", status: 200, headers: { "Content-Type": contentType, ...headers }, send }
}

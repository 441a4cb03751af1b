// The head of a response as it stands on the wire.
import type { Headers } from "./reply.ts"

const REASONS: Readonly<Record<number, string>> = {
  101: "UPGRADED",
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  301: "Moved Permanently",
  302: "Found",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  409: "Conflict",
  416: "Range Not Satisfiable",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
}

let dateSecond = 0
let dateLine = ""

/** The Date field, made anew once a second. */
function date(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateLine = `Date: ${new Date(second * 1000).toUTCString()}\r\n`
  }
  return dateLine
}

export function responseHead(minorVersion: 0 | 1, status: number, headers: Headers, common: string): string {
  let head = `HTTP/1.${minorVersion} ${status} ${REASONS[status] ?? "Status"}\r\n${common}${date()}`
  for (const name in headers) head += `${name}: ${oneLine(headers[name]!)}\r\n`
  return `${head}\r\n`
}

/** A field value never breaks out of its line, whatever it was made from. */
function oneLine(value: string): string {
  return /[\r\n\0]/.test(value) ? value.replace(/[\r\n\0]+/g, " ") : value
}

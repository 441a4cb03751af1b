import { describe, expect, test } from "bun:test"
import { bodyFraming, HeadScanner, parseHead } from "./head.ts"

const head = (lines: string): ReturnType<typeof parseHead> => parseHead(`${lines}\n\n`.replaceAll("\n", "\r\n"))

describe("parseHead()", () => {
  test("reads method, path, query, version and fields", () => {
    const parsed = head("GET /v1.41/info?a=b%20c HTTP/1.1\nHost: docker\nX-One:  1\nx-one: 2")
    expect(parsed).toMatchObject({ method: "GET", path: "/v1.41/info", query: "a=b%20c", minorVersion: 1 })
    expect(parsed.headers.get("x-one")).toBe("1, 2")
  })
  test("decodes the path, so that an image name may come with escaped slashes", () => {
    expect(head("GET /images/a%2Fb%3A1/json HTTP/1.0").path).toBe("/images/a/b:1/json")
  })
  test("takes bytes beyond ASCII in the target for UTF-8", () => {
    const raw = Buffer.from("GET /volumes/grün?a=ü HTTP/1.1").toString("latin1")
    expect(head(raw)).toMatchObject({ path: "/volumes/grün", query: "a=ü" })
  })
  test("takes the path out of an absolute target", () => {
    expect(head("GET http://docker/_ping?x HTTP/1.1")).toMatchObject({ path: "/_ping", query: "x" })
  })
  test.each([
    ["GET /  HTTP/1.1"],
    ["GET / HTTP/1"],
    ["GET\t/ HTTP/1.1"],
    [" / HTTP/1.1"],
    ["GET info HTTP/1.1"],
    ["GET /%zz HTTP/1.1"],
    ["GET / HTTP/1.1\nNo colon"],
    ["GET / HTTP/1.1\nName : 1"],
    ["GET / HTTP/1.1\nA: 1\n folded"],
    ["GET / HTTP/1.1\nA: b\u0000c"],
    ["GET / HTTP/1.1\nA: b\rc"],
  ])("refuses %j", (lines) => {
    expect(() => head(lines)).toThrow(expect.objectContaining({ status: 400 }))
  })
  test("refuses other protocols by name", () => {
    expect(() => head("PRI * HTTP/2.0")).toThrow(expect.objectContaining({ status: 505 }))
  })
  test("refuses more fields than a client would send", () => {
    const fields = Array.from({ length: 200 }, (_, i) => `a${i}: b`).join("\n")
    expect(() => head(`GET / HTTP/1.1\n${fields}`)).toThrow(expect.objectContaining({ status: 431 }))
  })
})

describe("bodyFraming()", () => {
  test.each([
    ["Content-Length: 5\nTransfer-Encoding: chunked", 400],
    ["Content-Length: 5\nContent-Length: 6", 400],
    ["Content-Length: -5", 400],
    ["Content-Length: +5", 400],
    ["Content-Length: 0x5", 400],
    ["Content-Length: ", 400],
    ["Transfer-Encoding: gzip, chunked", 501],
    ["Transfer-Encoding: identity", 501],
  ])("refuses %j", (fields, status) => {
    expect(() => bodyFraming(head(`POST / HTTP/1.1\n${fields}`))).toThrow(expect.objectContaining({ status }))
  })
  test("refuses chunks in HTTP/1.0", () => {
    expect(() => bodyFraming(head("POST / HTTP/1.0\nTransfer-Encoding: chunked"))).toThrow()
  })
  test("reads a length, said twice or once, and chunks", () => {
    expect(bodyFraming(head("POST / HTTP/1.1\nContent-Length: 5\nContent-Length: 5"))).toBe(5)
    expect(bodyFraming(head("POST / HTTP/1.1\nTransfer-Encoding: Chunked"))).toBe("chunked")
    expect(bodyFraming(head("GET / HTTP/1.1"))).toBe(0)
  })
})

describe("HeadScanner", () => {
  test("finds the end however the bytes are cut, and skips empty lines before the head", () => {
    const bytes = Buffer.from("\r\nGET / HTTP/1.1\r\nA: b\r\n\r\nrest")
    const scanner = new HeadScanner()
    for (let end = 1; end < bytes.length - 4; end++) expect(scanner.find(bytes.subarray(0, end))).toBeUndefined()
    expect(scanner.find(bytes)).toEqual({ start: 2, end: bytes.length - 4 })
  })
  test("gives up above 64 KiB", () => {
    expect(() => new HeadScanner().find(Buffer.alloc(65_537, "a"))).toThrow(expect.objectContaining({ status: 431 }))
  })
})

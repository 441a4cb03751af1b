// What a file may say of a key, as schemas whose messages say what was expected.
import { isIP } from "node:net"
import * as v from "valibot"
import { parseSpan } from "../lib/span.ts"

export const text = v.pipe(v.string("expected a text"), v.nonEmpty("expected a text that is not empty"))
export const flag = v.boolean("expected true or false")
export const texts = v.array(text, "expected a list of texts")
export const one = <const T extends readonly string[]>(names: T): v.GenericSchema<T[number]> =>
  v.picklist(names, `expected one of ${names.join(", ")}`) as unknown as v.GenericSchema<T[number]>

export const whole = (least: number, most: number, what = "a whole number"): v.GenericSchema<number> => {
  const said = `expected ${what} from ${least} to ${most}`
  return v.pipe(v.number(said), v.integer(said), v.minValue(least, said), v.maxValue(most, said))
}

const address = v.pipe(
  v.string("expected an IP address"),
  v.check((value) => isIP(value) !== 0, "expected an IP address"),
)
export const ipAddress: v.GenericSchema<string> = address
export const ipAddresses: v.GenericSchema<string[]> = v.array(address, "expected a list of IP addresses")

const SIZE = "expected a size: a number of bytes, or one with k, m or g"
/** As dockerd takes it: a number, or a text. */
export const size = v.union(
  [
    v.pipe(v.number(SIZE), v.integer(SIZE), v.minValue(0, SIZE)),
    v.pipe(v.string(SIZE), v.regex(/^\d+\s*([kmgt]i?)?b?$/i, SIZE)),
  ],
  SIZE,
)

/** 0 for what says "no size". */
export function bytesOf(value: number | string): number {
  if (typeof value === "number") return value
  const match = /^(\d+)\s*([kmgt]?)i?b?$/i.exec(value)
  return match === null ? 0 : Number(match[1]) * 1024 ** " kmgt".indexOf(match[2]?.toLowerCase() || " ")
}

export const ipv4Address = v.pipe(v.string("expected an IPv4 address"), v.ipv4("expected an IPv4 address"))

export const bridgeName = v.pipe(
  v.string("expected the name of an interface"),
  // Linux's own limit, and what it refuses in the name of an interface.
  v.regex(/^[^\s/:]{1,15}$/, "expected the name of an interface, 1 to 15 characters"),
  // dockerd's word for no default bridge at all.
  v.check((name) => name !== "none", "a daemon without a default bridge is not available in this version"),
)

const label = v.pipe(v.string("expected key=value"), v.regex(/^[^=\s]+=/, "expected key=value"))

export const labels: v.GenericSchema<string[]> = v.array(label, "expected a list of key=value")

/** "unix:///path", "fd://". A bare path is meant as a socket. */
const host = v.pipe(
  v.string("expected an address"),
  v.regex(/^(?:unix:\/\/\/.+|fd:\/\/.*|systemd:\/\/.*)$/, "expected unix:///PATH or fd://"),
)

export const hosts: v.GenericSchema<string[]> = v.array(host, "expected a list of addresses")

export const runtimes = v.record(
  v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][\w.-]*$/, "expected a name of letters, digits, '.', '_' and '-'")),
  v.strictObject(
    { path: text, runtimeArgs: v.exactOptional(texts) },
    'expected {"path": PROGRAM, "runtimeArgs": [...]}',
  ),
  'expected {NAME: {"path": PROGRAM}}',
)

const bound = whole(-1, Number.MAX_SAFE_INTEGER, "a limit")
export const ulimits = v.record(
  v.string(),
  v.pipe(
    v.strictObject(
      { Name: v.exactOptional(v.string()), Hard: v.exactOptional(bound), Soft: v.exactOptional(bound) },
      'expected {"Name": NAME, "Hard": N, "Soft": N}',
    ),
    v.check(
      ({ Hard = 0, Soft = 0 }) => Hard === -1 || (Soft !== -1 && Soft <= Hard),
      "expected a soft limit that is not above the hard one",
    ),
  ),
  'expected {NAME: {"Hard": N, "Soft": N}}',
)

export const pools = v.array(
  v.strictObject({
    base: v.pipe(v.string(), v.regex(/^[0-9a-f.:]+\/\d{1,3}$/i, "expected a subnet: 10.0.0.0/8")),
    size: whole(1, 128),
  }),
  'expected a list of {"base": SUBNET, "size": BITS}',
)

export const networkOptions = v.record(
  v.string(),
  v.record(v.string(), v.string("expected a text"), "expected {OPTION: TEXT}"),
  "expected {DRIVER: {OPTION: TEXT}}",
)

/** The options of every log driver are texts; which there are, the driver says when a container is created. */
export const logOptions = v.record(v.string(), v.string("expected a text"), "expected {OPTION: TEXT}")
export const features = v.record(v.string(), flag, "expected {FEATURE: true or false}")

const SHARE = 'expected a share of the disk: "80%"'
const share = v.pipe(
  v.string(SHARE),
  v.check((value) => shareOf(value) !== undefined, SHARE),
)
const span = v.pipe(
  v.string('expected a time: "24h"'),
  v.check((value) => isSpan(value), 'expected a time: "24h"'),
)
export const gc = v.strictObject({
  max: share,
  floor: v.exactOptional(share),
  unused: v.exactOptional(span),
  "keep-last": v.exactOptional(whole(0, Number.MAX_SAFE_INTEGER)),
  protect: v.exactOptional(texts),
})

/** 0 to 1. */
export function shareOf(value: string): number | undefined {
  const number = /^\s*(\d{1,3}(?:\.\d+)?)\s*%\s*$/.exec(value)?.[1]
  return number !== undefined && Number(number) <= 100 ? Number(number) / 100 : undefined
}

function isSpan(value: string): boolean {
  try {
    parseSpan(value)
    return true
  } catch {
    return false
  }
}

const PROXY = "expected the address of a proxy: http://proxy.example.com:3128"
const proxy = v.string(PROXY)
export const proxies = v.strictObject({
  "http-proxy": v.exactOptional(proxy),
  "https-proxy": v.exactOptional(proxy),
  "no-proxy": v.exactOptional(v.string("expected hosts with commas between them")),
})

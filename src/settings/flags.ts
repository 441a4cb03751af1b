// The daemon's flags as values of keys: what the command line says, in the form a file would say it.
import { parseArgs } from "node:util"
import { DhowError } from "../lib/errors.ts"
import { problemWith } from "./file.ts"
import { KEYS } from "./keys.ts"

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>
type Read = (given: readonly string[]) => unknown

const last: Read = (given) => given.at(-1)
const number: Read = (given) => (/^\d+$/.test(given.at(-1) ?? "") ? Number(given.at(-1)) : given.at(-1))
const list: Read = (given) => given

/** Flags whose value is not the text itself. */
const READ: Readonly<Record<string, Read>> = {
  "add-runtime": (given) =>
    Object.fromEntries(
      given.map((entry) => pair(entry, "runtime", "NAME=PATH")).map(([name, path]) => [name, { path }]),
    ),
  "default-address-pool": (given) => given.map(addressPool),
  "default-network-opt": networkOptions,
  "default-ulimit": (given) => Object.fromEntries(given.map(ulimit)),
  "log-opt": (given) => Object.fromEntries(given.map((entry) => pair(entry, "log option", "NAME=VALUE"))),
  "network-pool": number,
  "volume-mount-timeout": number,
  "max-concurrent-downloads": number,
  "max-concurrent-uploads": number,
}
const LISTS = new Set([
  ...["cdi-spec-dir", "dns", "dns-opt", "dns-search", "host", "host-gateway-ip", "insecure-registry", "label"],
  ...["registry-mirror", "add-runtime", "default-ulimit", "log-opt"],
  ...["default-address-pool", "default-network-opt"],
])
const BOOLEANS = new Set(["debug", "init", "no-new-privileges", "platform-compat"])
const SHORT: Readonly<Record<string, string>> = {
  ...{ bridge: "b", debug: "D", group: "G", host: "H", "log-level": "l", pidfile: "p", "storage-driver": "s" },
}

/** Flags that are no key of a file. */
const BESIDE = ["config-file", "docker-config-file", "http-proxy", "https-proxy", "no-proxy"] as const

export type GivenFlags = {
  readonly values: ReadonlyMap<string, unknown>
  readonly configFile: string | undefined
  readonly dockerConfigFile: string | undefined
  /** `--validate`: say whether the configuration is right, and nothing more. */
  readonly validate: boolean
}

export function readFlags(args: readonly string[]): GivenFlags {
  const given = parse(args)
  const values = new Map<string, unknown>()
  for (const [key, { flag, shape }] of Object.entries(KEYS)) {
    const texts = flag === undefined ? undefined : given[flag]
    if (flag === undefined || texts === undefined) continue
    const value =
      typeof texts === "boolean" ? texts : (READ[flag] ?? (LISTS.has(flag) ? list : last))([texts].flat() as string[])
    const problem = problemWith(shape, value)
    if (problem !== undefined)
      throw new DhowError("invalid", `invalid ${flag} "${[texts].flat().join(", ")}": ${problem.said}`)
    values.set(key, value)
  }
  const proxies = Object.fromEntries(
    ["http-proxy", "https-proxy", "no-proxy"].flatMap((name) =>
      typeof given[name] === "string" ? [[name, given[name]]] : [],
    ),
  )
  if (Object.keys(proxies).length > 0) values.set("proxies", proxies)
  return {
    values,
    configFile: given["config-file"] as string | undefined,
    dockerConfigFile: given["docker-config-file"] as string | undefined,
    validate: given["validate"] === true,
  }
}

function parse(args: readonly string[]): Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>> {
  const options: Options = { validate: { type: "boolean" } }
  for (const name of BESIDE) options[name] = { type: "string" }
  for (const { flag } of Object.values(KEYS)) {
    if (flag === undefined) continue
    options[flag] = {
      type: BOOLEANS.has(flag) ? "boolean" : "string",
      ...(LISTS.has(flag) ? { multiple: true } : {}),
      ...(SHORT[flag] === undefined ? {} : { short: SHORT[flag] }),
    }
  }
  const denied: Record<string, boolean> = {}
  const plain = args.filter((argument) => {
    const [, name = "", value] = /^--([a-z-]+)=(true|false)$/.exec(argument) ?? []
    if (!BOOLEANS.has(name)) return true
    denied[name] = value === "true"
    return false
  })
  try {
    return { ...parseArgs({ args: plain, options, strict: true, allowPositionals: false }).values, ...denied }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new DhowError("invalid", message.split(/\. To specify|\.?\n/)[0] ?? message, {
      hint: "See dhow daemon --help",
    })
  }
}

function pair(entry: string, what: string, form: string): readonly [string, string] {
  const at = entry.indexOf("=")
  if (at < 1 || at === entry.length - 1) throw new DhowError("invalid", `invalid ${what} "${entry}": expected ${form}`)
  return [entry.slice(0, at), entry.slice(at + 1)]
}

/** "nofile=1024:2048"; one number is both. */
function ulimit(
  entry: string,
): readonly [string, { readonly Name: string; readonly Soft: number; readonly Hard: number }] {
  const [name, limits] = pair(entry, "ulimit", "NAME=SOFT[:HARD]")
  const [soft = "", hard = soft] = limits.split(":")
  if (!/^-?\d+$/.test(soft) || !/^-?\d+$/.test(hard))
    throw new DhowError("invalid", `invalid ulimit "${entry}": expected NAME=SOFT[:HARD]`)
  return [name, { Name: name, Soft: Number(soft), Hard: Number(hard) }]
}

/** "base=10.0.0.0/8,size=24" */
function addressPool(entry: string): { readonly base: string; readonly size: number } {
  const fields = new Map(entry.split(",").map((field) => pair(field, "address pool", "base=SUBNET,size=BITS")))
  const [base, size] = [fields.get("base"), fields.get("size")]
  if (fields.size !== 2 || base === undefined || size === undefined || !/^\d{1,3}$/.test(size))
    throw new DhowError("invalid", `invalid address pool "${entry}": expected base=SUBNET,size=BITS`)
  return { base, size: Number(size) }
}

/** "bridge=com.docker.network.driver.mtu=1400" */
function networkOptions(given: readonly string[]): Record<string, Record<string, string>> {
  const options: Record<string, Record<string, string>> = {}
  for (const entry of given) {
    const form = "DRIVER=OPTION=VALUE"
    const [driver, rest] = pair(entry, "network option", form)
    const [name, value] = pair(rest, "network option", form)
    options[driver] = { ...options[driver], [name]: value }
  }
  return options
}

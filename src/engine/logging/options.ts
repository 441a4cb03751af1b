// A container's log driver and its options, completed from the daemon's and checked with Docker's words. Pure, but for a
// look at the socket that a syslog address names.
import type { LogConfig } from "../../wire/container.ts"
import { parseFluentdAddress, parseGelfAddress, parseSyslogAddress } from "./address.ts"
import { parseSyslogFacility, parseSyslogFormat } from "./syslog-words.ts"
import { invalid, parseBool, parseHumanSize, parseInteger, parseRamSize, parseSpanOf } from "./values.ts"

export type LogOptions = Readonly<Record<string, string>>
export type LogDefaults = { readonly driver: string; readonly options: LogOptions }

/**
 * The driver of whoever names none: the engine's own file. Clients are told "json-file", since some read a container's
 * output only where they know the driver.
 */
export const DEFAULT_DRIVER = "default"
export const SHOWN_DEFAULT = "json-file"
export const DEFAULT_LIMITS = { maxSize: 33 * 1024 * 1024, maxFile: 3 }

const ATTRIBUTES = ["labels", "labels-regex", "env", "env-regex", "tag"]
/** Of every driver. */
const COMMON = new Set(["mode", "max-buffer-size", "keep"])
const CACHE = new Set(["cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"])

type Driver = {
  readonly options: readonly string[]
  readonly unknown: (option: string) => string
  readonly check?: (options: LogOptions) => void
}

const file = (unknown: Driver["unknown"], options: readonly string[]): Driver => ({
  options: ["max-size", "max-file", "compress", ...options],
  unknown,
  check: checkFileLimits,
})
const named = (name: string) => (option: string) => `unknown log opt '${option}' for ${name} log driver`

const DRIVERS: Readonly<Record<string, Driver>> = {
  [DEFAULT_DRIVER]: file(named("json-file"), ATTRIBUTES),
  "json-file": {
    ...file(named("json-file"), ATTRIBUTES),
    check: (options) => {
      checkFileLimits(options)
      const single = parseInteger(options["max-file"] ?? "1") < 2 || options["max-size"] === undefined
      if (parseBool(options["compress"] ?? "false") && single)
        throw invalid("compress cannot be true when max-file is less than 2 or max-size is not set")
    },
  },
  local: file((option) => `unknown log opt '${option}' for log driver local`, []),
  none: { options: [], unknown: () => "" },
  journald: { options: [...ATTRIBUTES, "journald-namespace"], unknown: named("journald"), check: checkJournald },
  syslog: {
    options: [
      ...ATTRIBUTES,
      ...["syslog-address", "syslog-facility", "syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key"],
      ...["syslog-tls-skip-verify", "syslog-format"],
    ],
    unknown: named("syslog"),
    check: (options) => {
      parseSyslogAddress(options["syslog-address"] ?? "")
      parseSyslogFacility(options["syslog-facility"] ?? "")
      parseSyslogFormat(options["syslog-format"] ?? "")
    },
  },
  gelf: {
    options: [
      ...ATTRIBUTES,
      ...["gelf-address", "gelf-compression-level", "gelf-compression-type"],
      ...["gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"],
    ],
    unknown: (option) => `unknown log opt ${JSON.stringify(option)} for gelf log driver`,
    check: checkGelf,
  },
  fluentd: {
    options: [
      ...ATTRIBUTES,
      ...["fluentd-address", "fluentd-async", "fluentd-async-reconnect-interval", "fluentd-buffer-limit"],
      ...["fluentd-max-retries", "fluentd-request-ack", "fluentd-retry-wait", "fluentd-sub-second-precision"],
      "fluentd-write-timeout",
    ],
    unknown: named("fluentd"),
    check: checkFluentd,
  },
}

/** What `info` lists, sorted as Docker does. */
export const LOG_DRIVERS: readonly string[] = Object.keys(DRIVERS)
  .filter((name) => name !== DEFAULT_DRIVER && name !== "none")
  .sort()

export function completeLogConfig(asked: LogConfig | undefined, defaults: LogDefaults): LogConfig {
  const type = asked?.Type || defaults.driver
  const options: Record<string, string> = { ...asked?.Config }
  for (const [option, value] of Object.entries(defaults.options))
    if (!Object.hasOwn(options, option) && (type === defaults.driver || CACHE.has(option))) options[option] = value
  checkLogOptions(type, options)
  return { Type: type, Config: options }
}

/** The daemon's own defaults, when it starts. */
export function checkLogDefaults({ driver, options }: LogDefaults): void {
  try {
    checkLogOptions(driver, options)
  } catch (cause) {
    throw invalid(`failed to set log opts: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function checkLogOptions(type: string, options: LogOptions): void {
  // Docker takes any option for it, and none has an effect.
  if (type === "none") return
  const mode = options["mode"] ?? ""
  if (!["", "blocking", "non-blocking"].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`)
  if (options["max-buffer-size"] !== undefined) {
    if (mode !== "non-blocking")
      throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
    within("error parsing option max-buffer-size", () => parseRamSize(options["max-buffer-size"]!))
  }
  checkCache(options)
  if (options["keep"] !== undefined) parseKeep(options["keep"])
  const driver = Object.hasOwn(DRIVERS, type) ? DRIVERS[type] : undefined
  if (driver === undefined) throw invalid(`logger: no log driver named '${type}' is registered`)
  for (const option of Object.keys(options))
    if (!COMMON.has(option) && !CACHE.has(option) && !driver.options.includes(option))
      throw invalid(driver.unknown(option))
  for (const option of ["labels-regex", "env-regex"])
    if (options[option] !== undefined) within(`invalid value for option ${option}`, () => new RegExp(options[option]!))
  driver.check?.(options)
}

/** Milliseconds that a removed container's log is kept: "7d", or a Go duration. */
export function parseKeep(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1]
  const milliseconds = days === undefined ? parseSpanOf(text) : Number(days) * 86_400_000
  if (milliseconds < 0) throw invalid(`invalid value for option keep: ${text}`)
  return milliseconds
}

function checkCache(options: LogOptions): void {
  const disabled = options["cache-disabled"]
  if (disabled)
    try {
      parseBool(disabled)
    } catch {
      throw invalid(`invalid value for option cache-disabled: ${disabled}`)
    }
  if (options["cache-max-size"] !== undefined) parseHumanSize(options["cache-max-size"])
  if (options["cache-max-file"] !== undefined) parseInteger(options["cache-max-file"])
  if (options["cache-compress"] !== undefined) parseBool(options["cache-compress"])
}

function checkFileLimits(options: LogOptions): void {
  if (options["max-size"] !== undefined && parseHumanSize(options["max-size"]) <= 0)
    throw invalid("max-size must be a positive number")
  if (options["max-file"] !== undefined && parseInteger(options["max-file"]) < 1)
    throw invalid("max-file cannot be less than 1")
  if (options["compress"] !== undefined) parseBool(options["compress"])
}

function checkJournald(options: LogOptions): void {
  const namespace = options["journald-namespace"]
  if (namespace !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(namespace))
    throw invalid(`invalid value for option journald-namespace: ${namespace}`)
}

function checkGelf(options: LogOptions): void {
  const { scheme } = parseGelfAddress(options["gelf-address"] ?? "")
  const unknown = (option: string, value: string) =>
    invalid(`unknown value ${JSON.stringify(value)} for log opt ${JSON.stringify(option)} for gelf log driver`)
  const level = options["gelf-compression-level"]
  const type = options["gelf-compression-type"]
  if ((level !== undefined || type !== undefined) && scheme !== "udp")
    throw invalid("compression is only supported on UDP")
  if (level !== undefined && !/^(-1|\+?[0-9])$/.test(level)) throw unknown("gelf-compression-level", level)
  if (type !== undefined && !["gzip", "zlib", "none"].includes(type)) throw unknown("gelf-compression-type", type)
  for (const option of ["gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"]) {
    const value = options[option]
    if (value === undefined) continue
    if (scheme !== "tcp") throw invalid(`${JSON.stringify(option)} is only valid for TCP`)
    if (!/^\+?\d{1,15}$/.test(value)) throw invalid(`${JSON.stringify(option)} must be a positive integer`)
  }
}

const MOST_RETRIES = 2 ** 31 - 1

function checkFluentd(options: LogOptions): void {
  parseFluentdAddress(options["fluentd-address"] ?? "")
  if (options["fluentd-buffer-limit"]) parseRamSize(options["fluentd-buffer-limit"])
  if (options["fluentd-retry-wait"]) parseSpanOf(options["fluentd-retry-wait"])
  const retries = options["fluentd-max-retries"]
  if (retries) {
    if (!/^\d+$/.test(retries)) throw invalid(`strconv.ParseUint: parsing ${JSON.stringify(retries)}: invalid syntax`)
    if (Number(retries) > 2 ** 32 - 1)
      throw invalid(`strconv.ParseUint: parsing ${JSON.stringify(retries)}: value out of range`)
    if (Number(retries) > MOST_RETRIES) throw invalid("invalid fluentd-max-retries: value out of range")
  }
  for (const option of ["fluentd-async", "fluentd-sub-second-precision", "fluentd-request-ack"])
    if (options[option]) parseBool(options[option])
  const interval = options["fluentd-async-reconnect-interval"]
  if (interval) {
    const name = "fluentd-async-reconnect-interval"
    const milliseconds = within(`invalid value for ${name}`, () => parseSpanOf(interval))
    if (milliseconds !== 0 && (milliseconds < 100 || milliseconds > 10_000))
      throw invalid(`invalid value for ${name}: value (${JSON.stringify(interval)}) must be between 100ms and 10s`)
  }
  const timeout = options["fluentd-write-timeout"]
  if (timeout) {
    const begin = "invalid value for fluentd-write-timeout: value must be a duration"
    if (within(begin, () => parseSpanOf(timeout)) < 0) throw invalid(`${begin} that is non-negative`)
  }
}

function within<T>(what: string, check: () => T): T {
  try {
    return check()
  } catch (cause) {
    throw invalid(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

import { describe, expect, test } from "bun:test"
import { checkLogDefaults, completeLogConfig, LOG_DRIVERS, parseKeep } from "./options.ts"

const OWN = { driver: "default", options: {} }
const complete = (Type: string, Config: Record<string, string> = {}) => completeLogConfig({ Type, Config }, OWN)

describe("completeLogConfig()", () => {
  test("takes the daemon's driver, and its options for that driver only", () => {
    const defaults = { driver: "json-file", options: { "max-size": "1m", "cache-max-size": "2m" } }
    expect(completeLogConfig(undefined, defaults)).toEqual({ Type: "json-file", Config: defaults.options })
    expect(completeLogConfig({ Config: { "max-size": "5m" } }, defaults).Config).toEqual({
      "max-size": "5m",
      "cache-max-size": "2m",
    })
    expect(completeLogConfig({ Type: "syslog" }, defaults).Config).toEqual({ "cache-max-size": "2m" })
    expect(completeLogConfig({}, OWN)).toEqual({ Type: "default", Config: {} })
  })

  test.each([
    ["json-file", { "max-size": "10m", "max-file": "3", compress: "true", labels: "a,b", "env-regex": "^X", tag: "t" }],
    ["local", { "max-size": "10m", "max-file": "3", compress: "false", mode: "blocking" }],
    ["none", { anything: "goes" }],
    [
      "syslog",
      { "syslog-address": "tcp+tls://[::1]:6514", "syslog-facility": "local7", "syslog-format": "rfc5424micro" },
    ],
    ["syslog", { "syslog-address": "udp://host", "syslog-facility": "23" }],
    ["gelf", { "gelf-address": "udp://host:12201", "gelf-compression-level": "-1", "gelf-compression-type": "zlib" }],
    ["gelf", { "gelf-address": "tcp://host:12201", "gelf-tcp-max-reconnect": "0" }],
    ["fluentd", { "fluentd-address": "host", "fluentd-async": "T", "fluentd-async-reconnect-interval": "100ms" }],
    ["fluentd", { "fluentd-address": "unix:///run/f.sock", "fluentd-write-timeout": "1s", "fluentd-max-retries": "9" }],
    ["journald", { mode: "non-blocking", "max-buffer-size": "4m", "cache-disabled": "true", keep: "7d" }],
  ])("takes %s with %j", (type, options) => {
    expect(complete(type, options)).toEqual({ Type: type, Config: options })
  })

  test.each([
    ["nosuch", {}, "logger: no log driver named 'nosuch' is registered"],
    ["toString", {}, "logger: no log driver named 'toString' is registered"],
    ["json-file", { colour: "red" }, "unknown log opt 'colour' for json-file log driver"],
    ["json-file", { "max-size": "-1" }, "invalid size: '-1'"],
    ["json-file", { "max-size": "0" }, "max-size must be a positive number"],
    ["json-file", { "max-file": "0" }, "max-file cannot be less than 1"],
    ["json-file", { compress: "true" }, "compress cannot be true when max-file is less than 2 or max-size is not set"],
    ["json-file", { "labels-regex": "(" }, "invalid value for option labels-regex"],
    ["local", { tag: "x" }, "unknown log opt 'tag' for log driver local"],
    ["local", { mode: "fast" }, "logger: logging mode not supported: fast"],
    ["local", { "max-buffer-size": "1m" }, "max-buffer-size option is only supported with 'mode=non-blocking'"],
    [
      "local",
      { mode: "non-blocking", "max-buffer-size": "x" },
      "error parsing option max-buffer-size: invalid size: 'x'",
    ],
    ["local", { "cache-disabled": "perhaps" }, "invalid value for option cache-disabled: perhaps"],
    ["syslog", { "syslog-address": "http://x" }, "unsupported scheme: 'http'"],
    ["syslog", { "syslog-address": "unix:///nonexistent" }, "stat /nonexistent: no such file or directory"],
    ["syslog", { "syslog-facility": "24" }, "invalid syslog facility"],
    ["syslog", { "syslog-format": "x" }, "Invalid syslog format"],
    ["gelf", {}, "gelf-address is a required parameter"],
    ["gelf", { "gelf-address": "udp://host" }, "gelf: please provide gelf-address as proto://host:port"],
    ["gelf", { "gelf-address": "unix:///x" }, "gelf: endpoint needs to be TCP or UDP"],
    ["gelf", { "gelf-address": "tcp://h:1", "gelf-compression-type": "gzip" }, "compression is only supported on UDP"],
    ["gelf", { "gelf-address": "udp://h:1", "gelf-compression-type": "xz" }, 'unknown value "xz" for log opt'],
    [
      "gelf",
      { "gelf-address": "udp://h:1", "gelf-tcp-max-reconnect": "1" },
      '"gelf-tcp-max-reconnect" is only valid for TCP',
    ],
    ["gelf", { "gelf-address": "udp://h:1", x: "" }, 'unknown log opt "x" for gelf log driver'],
    ["fluentd", { "fluentd-address": "tcp://h:70000" }, "invalid port"],
    ["fluentd", { "fluentd-address": "tcp://h:1/p" }, "should not contain a path element"],
    ["fluentd", { "fluentd-address": "unix://" }, "path is empty"],
    ["fluentd", { "fluentd-async-reconnect-interval": "1ms" }, 'value ("1ms") must be between 100ms and 10s'],
    ["fluentd", { "fluentd-max-retries": "-1" }, "invalid syntax"],
    ["fluentd", { "fluentd-write-timeout": "-1s" }, "value must be a duration that is non-negative"],
    ["journald", { "syslog-address": "x" }, "unknown log opt 'syslog-address' for journald log driver"],
    ["journald", { "journald-namespace": "../x" }, "invalid value for option journald-namespace: ../x"],
    ["default", { keep: "week" }, 'time: invalid duration "week"'],
  ])("refuses %s with %j", (type, options, message) => {
    expect(() => complete(type, options as Record<string, string>)).toThrow(message)
  })
})

test("checkLogDefaults() says that they are the daemon's", () => {
  expect(() => checkLogDefaults({ driver: "local", options: { x: "y" } })).toThrow(
    "failed to set log opts: unknown log opt 'x' for log driver local",
  )
})

test("LOG_DRIVERS are Docker's that can be had here", () => {
  expect(LOG_DRIVERS).toEqual(["fluentd", "gelf", "journald", "json-file", "local", "syslog"])
})

test("parseKeep() counts days too", () => {
  expect(parseKeep("7d")).toBe(7 * 86_400_000)
  expect(parseKeep("36h")).toBe(36 * 3_600_000)
  expect(() => parseKeep("-1h")).toThrow("invalid value for option keep")
})

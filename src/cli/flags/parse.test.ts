import { expect, test } from "bun:test"
import { parseDuration } from "../../lib/duration.ts"
import { parseBytes, parseCpus } from "../../lib/size.ts"
import { nearest } from "../../lib/suggest.ts"
import { boolean, int, list, string } from "./flags.ts"
import { parseFlags } from "./parse.ts"

const specs = {
  all: boolean("a", ""),
  env: list("e", ""),
  name: string("n", ""),
  net: list("", "", { alias: "network" }),
  network: list("", ""),
  tail: int("", ""),
} as const

test("parseFlags() joins letters, the last of which may take a value", () => {
  const { flags, args } = parseFlags(specs, ["-aeA=b", "-e=C", "-n", "x", "rest"])
  expect(flags).toMatchObject({ all: true, env: ["A=b", "C"], name: "x" })
  expect(args).toEqual(["rest"])
})

test("parseFlags() stops at the first argument where a command says so", () => {
  const { flags, args } = parseFlags(specs, ["-a", "image", "-n", "x", "--"], { interspersed: false })
  expect(flags.name).toBeUndefined()
  expect(args).toEqual(["image", "-n", "x", "--"])
})

test("parseFlags() takes flags after arguments, up to --", () => {
  const { flags, args } = parseFlags(specs, ["one", "-a", "--", "-n"])
  expect(flags.all).toBe(true)
  expect(args).toEqual(["one", "-n"])
})

test("parseFlags() puts an alias where its flag is", () => {
  expect(parseFlags(specs, ["--net", "a", "--network=b"]).flags.network).toEqual(["a", "b"])
})

test("parseFlags() says what is wrong, and ends with 125", () => {
  const failure = (argv: string[]): unknown => {
    try {
      parseFlags(specs, argv)
    } catch (error) {
      return error
    }
    return undefined
  }
  expect(failure(["--nmae", "x"])).toMatchObject({
    message: "unknown flag: --nmae",
    hint: `Did you mean "--name"?`,
    exitCode: 125,
  })
  expect(failure(["-ax"])).toMatchObject({ message: "unknown shorthand flag: 'x' in -x" })
  expect(failure(["--tail"])).toMatchObject({ message: "flag needs an argument: --tail" })
  expect(failure(["--tail", "x"])).toMatchObject({
    message: `invalid argument "x" for "--tail" flag: strconv.ParseInt: parsing "x": invalid syntax`,
  })
})

test("parseFlags() finds --help anywhere among the flags", () => {
  expect(parseFlags(specs, ["x", "--help"]).help).toBe(true)
  expect(parseFlags(specs, ["-h"]).help).toBe(true)
  expect(parseFlags(specs, ["x", "--help"], { interspersed: false }).help).toBe(false)
})

test("parseDuration() reads Go's durations", () => {
  expect(parseDuration("1h30m")).toBe(5400e9)
  expect(parseDuration("1.5s")).toBe(1.5e9)
  expect(parseDuration("-300ms")).toBe(-3e8)
  expect(() => parseDuration("5")).toThrow(`time: missing unit in duration "5"`)
  expect(() => parseDuration("5d")).toThrow(`time: unknown unit "d" in duration "5d"`)
})

test("parseBytes() reads sizes in binary units", () => {
  expect(parseBytes("64k")).toBe(65536)
  expect(parseBytes("1.5GiB")).toBe(1610612736)
  expect(parseBytes("10 MB")).toBe(10485760)
  expect(() => parseBytes("10x")).toThrow("invalid suffix: 'x'")
})

test("parseCpus() reads decimals to billionths", () => {
  expect(parseCpus("1.5")).toBe(1_500_000_000)
  expect(parseCpus("0.000000001")).toBe(1)
})

test("nearest() offers what a typo may have meant", () => {
  expect(nearest("rnu", ["run", "rm", "ps"])).toBe("run")
  expect(nearest("contaner", ["container", "create"])).toBe("container")
  expect(nearest("xyzzy", ["run", "ps"])).toBeUndefined()
})

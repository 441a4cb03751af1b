import { describe, expect, test } from "bun:test"
import { execArguments, launchArguments, readConmonArguments } from "./arguments.ts"

const LAUNCH = {
  id: "abc",
  bundle: "/run/with:colon/abc",
  runtime: { path: "/usr/bin/crun", args: ["--root", "/run/crun"] },
  terminal: false,
  stdin: true,
  leaveStdinOpen: true,
  logPath: "/run/with:colon/abc/container.log",
}

describe("launchArguments()", () => {
  test("names the log relative to the bundle, since conmon splits at colons", () => {
    expect(launchArguments(LAUNCH, "/run/exits")).toContain("k8s-file:container.log")
    expect(launchArguments({ ...LAUNCH, logPath: undefined }, "/run/exits")).toContain("none")
    expect(() => launchArguments({ ...LAUNCH, logPath: "/else:where/log" }, "/run/exits")).toThrow(/colon/)
  })

  test("are understood again from a running conmon, and only as those of this container", () => {
    const argv = ["/usr/bin/conmon", ...launchArguments(LAUNCH, "/run/exits")]
    expect(readConmonArguments(argv, "abc")).toEqual({ stdin: true, leaveStdinOpen: true })
    expect(readConmonArguments(argv, "ab")).toBeUndefined()
    expect(readConmonArguments(["/bin/sh", ...argv.slice(1)], "abc")).toBeUndefined()
  })
})

describe("execArguments()", () => {
  test("keep the exit file away from the container's own", () => {
    const options = { ...LAUNCH, id: "session", container: "abc" }
    expect(execArguments(options)).not.toContain("--exit-dir")
    expect(execArguments(options)).not.toContain("--exec-attach")
    expect(execArguments({ ...options, beforeStart: () => {} })).toContain("--exec-attach")
  })
})

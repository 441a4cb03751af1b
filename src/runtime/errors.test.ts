import { expect, test } from "bun:test"
import { plainMessage, runtimeError } from "./errors.ts"

// What crun 1.8.1 and runc 1.1.5 really print, and how crun 1.28 puts it.
const runc = (text: string): string =>
  `time="2026-01-01T00:00:00Z" level=error msg=${JSON.stringify(`runc create failed: ${text}`)}\n`

const told = (stderr: string, command?: string): readonly [string, number | undefined] => {
  const { message, exitCode } = runtimeError(stderr, { verb: "create", command })
  return [message.slice(message.indexOf("container process: ") + "container process: ".length), exitCode]
}

test("runtimeError() of a missing program has Docker's text and 127", () => {
  const expected = ['exec: "nosuch": executable file not found in $PATH', 127] as const
  expect(told("executable file `nosuch` not found in $PATH: No such file or directory\n", "nosuch")).toEqual(expected)
  expect(
    told(runc('unable to start container process: exec: "nosuch": executable file not found in $PATH'), "nosuch"),
  ).toEqual(expected)
  expect(told("executable file `nosuch` not found in $PATH: No such file or directory\n")).toEqual(expected)
  const path = ['exec: "/no/such": stat /no/such: no such file or directory', 127] as const
  expect(told("executable file `/no/such` not found in $PATH: No such file or directory", "/no/such")).toEqual(path)
  expect(told("executable file `/no/such` not found: No such file or directory")).toEqual(path)
  expect(
    told(runc('unable to start container process: exec: "/no/such": stat /no/such: no such file or directory')),
  ).toEqual(path)
})

test("runtimeError() of a file that may not be executed has 126", () => {
  const expected = ['exec: "/etc/passwd": permission denied', 126] as const
  expect(told("open executable: Permission denied", "/etc/passwd")).toEqual(expected)
  const newer = "the path `/etc/passwd` exists but it is not executable: Operation not permitted"
  expect(told(newer, "/etc/passwd")).toEqual(expected)
  expect(told(runc('unable to start container process: exec: "/etc/passwd": permission denied'))).toEqual(expected)
})

test("runtimeError() names the source of a bind mount that is missing", () => {
  const expected = ['error mounting "/no/src": stat /no/src: no such file or directory', 127] as const
  expect(told("error stat'ing file `/no/src`: No such file or directory", "true")).toEqual(expected)
  expect(told("cannot stat `/no/src`: No such file or directory", "true")).toEqual(expected)
  expect(
    told(
      runc(
        'unable to start container process: error during container init: error mounting "/no/src" to rootfs at "/x": stat /no/src: no such file or directory',
      ),
    ),
  ).toEqual(expected)
})

test("runtimeError() of a file mounted on a directory says so", () => {
  const texts = [
    "mount `/tmp` to `etc/passwd`: Not a directory",
    runc(
      'unable to start container process: error during container init: error mounting "/tmp" to rootfs at "/etc/passwd": mount /tmp:/etc/passwd (via /proc/self/fd/6), flags: 0x5000: not a directory',
    ),
  ]
  for (const text of texts) {
    expect(told(text)).toEqual(['error mounting "/tmp" to rootfs at "/etc/passwd": not a directory', 127])
    expect(runtimeError(text, { verb: "create" }).hint).toContain("mount a directory onto a file")
  }
})

test("runtimeError() of a bad working directory names it", () => {
  const expected = 'cannot enter the working directory "/etc/passwd": not a directory'
  expect(told("chdir `/etc/passwd`: Not a directory")[0]).toBe(expected)
  expect(told("chdir to `/etc/passwd`: Not a directory")[0]).toBe(expected)
  expect(
    told(runc("unable to start container process: error during container init: mkdir /etc/passwd: not a directory"))[0],
  ).toBe(expected)
})

test("runtimeError() passes on what it does not know, without an exit status of its own", () => {
  expect(told("the sysctl `kernel.foo` is not namespaced")).toEqual([
    "the sysctl `kernel.foo` is not namespaced",
    undefined,
  ])
  expect(told("")).toEqual(["the runtime gave no reason", undefined])
})

test("plainMessage() reads plain lines, logfmt and JSON, and skips warnings", () => {
  expect(plainMessage('{"msg":"boom","level":"error","time":"x"}')).toBe("boom")
  expect(plainMessage("2026-01-01T00:00:00.000000Z: boom")).toBe("boom")
  expect(plainMessage(`time="x" level=warning msg="careful"\n${runc("boom")}`)).toBe("boom")
  expect(plainMessage(`${runc("boom")}time="x" level=warning msg="late"`)).toBe("boom")
})

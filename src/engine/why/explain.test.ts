import { describe, expect, test } from "bun:test"
import type { Ask } from "../../wire/exit.ts"
import { explain } from "./explain.ts"
import { aReport, facts } from "./test-facts.ts"

const CREATE = "OCI runtime create failed: unable to start container process: "
const client: Ask["By"] = { Kind: "client", Pid: 7, Uid: 1000, User: "ann", Program: "docker" }

/** Codes of the findings, the weightiest first. */
const codes = (...args: Parameters<typeof facts>): string[] => explain(facts(...args)).Findings.map(({ Code }) => Code)
const first = (...args: Parameters<typeof facts>) => explain(facts(...args)).Findings[0]!
const commands = (...args: Parameters<typeof facts>) => first(...args).Fixes.map(({ Command }) => Command)

describe("a start that failed", () => {
  test.each([
    [`${CREATE}exec: "nosuch": executable file not found in $PATH`, "command-not-found", "nosuch"],
    [`${CREATE}exec: "/app": stat /app: no such file or directory`, "program-not-found", "/app"],
    [`${CREATE}exec: "/app": permission denied`, "not-executable", "/app"],
    [`${CREATE}exec: "/tmp/app": permission denied: "/tmp" is mounted noexec (Mount it with exec)`, "noexec", "/tmp"],
    [
      `${CREATE}exec /app: exec format error: the image is for linux/arm64, this host is linux/amd64`,
      "architecture",
      "arm64",
    ],
    [`${CREATE}cannot enter the working directory "/w": not a directory`, "working-directory", "/w"],
    [`${CREATE}error mounting "/no": stat /no: no such file or directory`, "bind-source-missing", "/no"],
    [`${CREATE}error mounting "/d" to rootfs at "/f": not a directory`, "mount-kind", "/f"],
    [
      "driver failed programming external connectivity on endpoint web (c): Bind for 0.0.0.0:8080 failed: port is already allocated",
      "port-in-use",
      "8080",
    ],
    ["unable to find user bob: no matching entries in passwd file", "unknown-user", "bob"],
    ['container "web" requires container "db": it is unhealthy', "requirement", "db"],
    [`${CREATE}error opening file: Too many open files`, "open-files", "limit of open files"],
    [`${CREATE}no space left on device`, "disk-full", "disk"],
    ["something that nobody has seen", "start-failed", "could not be started"],
  ])("%s", (message, code, word) => {
    const found = first({ Started: false, ExitCode: 127, Error: message })
    expect(found.Code).toBe(code)
    expect(found.What).toContain(word)
    expect(found.Evidence).toEqual([message])
  })
})

describe("an end that was asked for", () => {
  const asked = (more: Partial<Ask> = {}): Ask => ({
    Action: "stop",
    Signal: 15,
    Time: "2030-01-01T00:00:19Z",
    By: client!,
    ...more,
  })

  test("names the program, the user and the process", () => {
    const found = first({ ExitCode: 143, Signal: "SIGTERM", Asked: asked() })
    expect(found.Code).toBe("stopped-by-client")
    expect(found.What).toBe("docker of ann (process 7) asked to stop it")
    expect(found.Evidence[0]).toContain("SIGTERM was sent")
  })

  test("tells a program that did not listen", () => {
    const Asked = asked({ Signal: 9, First: { Signal: 15, Time: "2030-01-01T00:00:09Z" } })
    const plain = first({ ExitCode: 137, Signal: "SIGKILL", Asked })
    expect(plain.Evidence[1]).toBe("It had not ended 10 s after SIGTERM, so it was killed")
    expect(plain.Fixes[0]?.Command).toBe("dhow run --init ... image")
    const shell = first({ ExitCode: 137, Signal: "SIGKILL", Asked, Command: ["/bin/sh", "-c", "app"] })
    expect(shell.Fixes[0]?.Text).toContain("exec form")
  })

  test("is no explanation where the signal did not end it", () => {
    const Asked = asked({ Action: "kill", Signal: 10, Time: "2030-01-01T00:00:01Z" })
    expect(codes({ ExitCode: 3, Asked })).toEqual(["program-failed"])
    expect(codes({ ExitCode: 138, Signal: "SIGUSR1", Asked })).toEqual(["killed-by-client"])
  })

  test("tells the engine's own reasons", () => {
    const by = (Reason: "unhealthy" | "time-limit") => asked({ By: { Kind: "engine", Reason } })
    expect(codes({ ExitCode: 143, Asked: by("time-limit") })).toEqual(["time-limit"])
    expect(first({ ExitCode: 143, Asked: { ...by("unhealthy"), Action: "kill", Signal: 9 } }).Code).toBe(
      "program-failed",
    )
    expect(first({ ExitCode: 137, Asked: { ...by("unhealthy"), Action: "kill", Signal: 9 } }).Code).toBe(
      "health-action",
    )
  })

  test("hides what the program wrote: it is not why it ended", () => {
    expect(codes({ ExitCode: 143, Signal: "SIGTERM", Asked: asked(), lines: ["connection refused"] })).toEqual([
      "stopped-by-client",
    ])
  })
})

describe("memory", () => {
  const Usage = { WallTime: 1e9, MemoryPeak: 64 * 1024 ** 2, Missing: [] }

  test("tells the container's limit from the host's end of it", () => {
    const Limits = { OOMKills: 1, MemoryLimit: 64 * 1024 ** 2, MemoryLimitHits: 30 }
    const own = { ExitCode: 137, Signal: "SIGKILL", OOMKilled: true, Usage, Limits }
    expect(first(own)).toMatchObject({ Code: "oom-limit", What: "The kernel killed it at its memory limit of 64MiB" })
    expect(commands(own)[0]).toBe("dhow update --memory 128m --memory-swap 256m web && dhow start web")
    expect(commands(own, { status: "removed" })[0]).toBe("dhow run --memory 128m ... image")
    expect(codes({ ...own, Limits: { OOMKills: 1 } })).toEqual(["oom-host"])
  })

  test("says that it was a child where the first process lived on", () => {
    const Limits = { OOMKills: 2, MemoryLimit: 64 * 1024 ** 2, MemoryLimitHits: 3 }
    expect(first({ ExitCode: 1, OOMKilled: true, Usage, Limits }).Evidence.at(-1)).toContain("a child of it was killed")
  })
})

describe("signals that nobody sent through the engine", () => {
  test.each([
    [137, "SIGKILL", "killed-from-outside"],
    [143, "SIGTERM", "terminated-from-outside"],
    [139, "SIGSEGV", "segfault"],
    [134, "SIGABRT", "aborted"],
    [132, "SIGILL", "illegal-instruction"],
    [159, "SIGSYS", "seccomp"],
    [152, "SIGXCPU", "cpu-time"],
    [153, "SIGXFSZ", "file-size"],
    [129, "SIGHUP", "hangup"],
    [155, "SIGPROF", "signalled"],
  ])("%i", (ExitCode, Signal, code) => {
    expect(codes({ ExitCode, Signal })).toEqual([code])
  })

  test("a monitor that is gone leaves nothing to tell", () => {
    expect(codes({ ExitCode: 255, Seen: "lost" })).toEqual(["lost"])
  })
})

describe("what it wrote last", () => {
  test.each([
    [
      "./app: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory",
      "missing-library",
      "libpq.so.5",
    ],
    [
      "Error loading shared library libssl.so.3: No such file or directory (needed by /app)",
      "missing-library",
      "libssl.so.3",
    ],
    [
      "app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by app)",
      "library-version",
      "GLIBC_2.38",
    ],
    ["/run.sh: line 2: $'\\r': command not found", "line-ends", "Windows"],
    ["sh: /run.sh: /bin/bash: bad interpreter: No such file or directory", "line-ends", "interpreter"],
    ["bash: ./app: cannot execute binary file: Exec format error", "architecture", "another processor"],
    ["Error: listen EADDRINUSE: address already in use :::3000", "address-in-use", "3000"],
    ["nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", "low-port", "1024"],
    ["curl: (6) Could not resolve host: db", "name-resolution", "db"],
    ["wget: bad address 'db:80'", "name-resolution", "db:80"],
    ["getaddrinfo EAI_AGAIN db", "name-resolution", "db"],
    ["dial tcp: lookup db on 10.0.0.1:53: no such host", "name-resolution", "db"],
    ["connect ECONNREFUSED 127.0.0.1:5432", "connection-refused", "127.0.0.1:5432"],
    ["x509: certificate signed by unknown authority", "certificate", "trust"],
    ["OSError: [Errno 28] No space left on device", "disk-full", "full file system"],
    ["touch: /x: Read-only file system", "read-only", "read-only"],
    ["accept: Too many open files", "open-files", "open more"],
    ["sh: can't fork: Resource temporarily unavailable", "process-ulimit", "process or thread"],
    ["chown: /x: Operation not permitted", "permission", "refused"],
  ])("%s", (line, code, word) => {
    const found = first({ lines: ["before", line] })
    expect(found.Code).toBe(code)
    expect(found.What).toContain(word)
    expect(found.Evidence[0]).toContain("It wrote")
  })

  test("is asked from the end on", () => {
    expect(codes({ lines: ["connection refused", "curl: (6) Could not resolve host: db"] })).toEqual([
      "name-resolution",
    ])
  })

  test("explains no success, and nothing that is not there", () => {
    expect(codes({ ExitCode: 0, lines: ["connection refused, trying again"] })).toEqual(["done"])
    expect(codes({ ExitCode: 3 })).toEqual(["program-failed"])
    expect(first({ ExitCode: 3 }).Evidence).toEqual(["It wrote nothing"])
  })

  test("a missing command of a shell counts only with 127", () => {
    expect(codes({ ExitCode: 127, lines: ["sh: foo: not found"] })).toEqual(["no-such-command"])
    expect(codes({ ExitCode: 1, lines: ["sh: foo: not found"] })).toEqual(["program-failed"])
  })

  test("lines made to hurt neither hold the rules up nor become more than a word of a command", () => {
    const slow = `${"a:".repeat(200)} ${"lookup ".repeat(50)}`.slice(0, 400)
    codes({ ExitCode: 127, lines: Array.from({ length: 20 }, () => slow) })
    const line = "error while loading shared libraries: lib$(reboot)';reboot;': cannot open shared object file"
    const [, search] = commands({ lines: [line] })
    expect(search).toBe(`apt-file search 'lib$(reboot)'"'"';reboot;'"'"''`)
    const echoed = Bun.spawnSync(["sh", "-c", `${search?.replace("apt-file search", "printf %s")}`]).stdout.toString()
    expect(echoed).toBe("lib$(reboot)';reboot;'")
  })
})

describe("mounts", () => {
  const Detail = {
    User: { Uid: 1000, Gid: 1000, Groups: [1000], HostUid: 1000, HostGid: 1000 },
    Mounts: [
      {
        Type: "bind",
        Source: "/srv",
        Destination: "/data",
        RW: true,
        Directory: true,
        Uid: 0,
        Gid: 0,
        Mode: "755",
        Readable: true,
        Writable: false,
      },
    ],
  }

  test("of another owner are named with both numbers, and with the command", () => {
    const found = first({ lines: ["sh: can't create /data/x: Permission denied"], Detail })
    expect(found.Code).toBe("mount-permission")
    expect(found.What).toContain('may not write to "/data"')
    expect(found.Evidence.join("\n")).toContain("uid 1000, gid 1000, which are the same numbers on the host")
    expect(found.Evidence.join("\n")).toContain("belongs to uid 0, gid 0, mode 755")
    expect(found.Fixes[0]?.Command).toBe("chown -R 1000:1000 /srv")
  })

  test("in a user namespace are named with the host's numbers", () => {
    const User = { ...Detail.User, Uid: 0, Gid: 0, HostUid: 100_000, HostGid: 100_000 }
    const found = first({ lines: ["EACCES: permission denied"], Detail: { ...Detail, User } })
    expect(found.Evidence[1]).toContain("makes that uid 100000, gid 100000 on the host")
    expect(found.Fixes[0]?.Command).toBe("chown -R 100000:100000 /srv")
  })

  test("with a map are named with who its user is on the disk, and files with their own owner", () => {
    const User = { ...Detail.User, Uid: 33, Gid: 33, Groups: [33], HostUid: 33, HostGid: 33 }
    const mapped = { ...Detail.Mounts[0]!, Map: "1000:1001", AsUid: 1000, AsGid: 1001 }
    const lines = ["touch: '/data/sub': Permission denied"]
    const found = first({ lines, Detail: { User, Mounts: [mapped] } })
    expect(found.Evidence[2]).toBe(
      'The map of "/data" (1000:1001): container uid 33 → host uid 1000, container gid 33 → host gid 1001',
    )
    expect(found.Evidence[3]).toBe('The directory "/srv" belongs to uid 0, gid 0, mode 755')
    expect(found.Fixes.map(({ Command }) => Command)).toContain("chown -R 1000:1001 /srv")
    expect(found.Fixes.some(({ Text }) => Text.includes("un as its owner"))).toBe(false)
    const file = {
      ...mapped,
      Source: "/srv/sub",
      Path: "/data/sub",
      Directory: false,
      Uid: 7,
      Mode: "600",
      Readable: false,
    }
    const whole = { ...mapped, Uid: 1000, Writable: true }
    const blamed = first({ lines, Detail: { User, Mounts: [whole, file] } })
    expect(blamed.What).toBe('Its user may not read "/data/sub": on the host that is "/srv/sub" of another owner')
    expect(blamed.Fixes[0]?.Command).toBe("chown 1000:1001 /srv/sub")
    // A user that the map leaves out.
    const { AsUid: _uid, AsGid: _gid, ...nobody } = whole
    const unmapped = first({
      lines: ["chown: /data/x: Value too large for data type"],
      Detail: { User, Mounts: [nobody] },
    })
    expect([unmapped.Code, unmapped.Evidence[2]]).toEqual([
      "mount-unmapped",
      'The map of "/data" (1000:1001): container uid 33 → nobody, container gid 33 → nobody',
    ])
  })

  test("of memory and of images are named, and of a container that runs", () => {
    const memory = { ...Detail.Mounts[0]!, Type: "tmpfs", Source: "" }
    const lines = ["/data/x: Permission denied"]
    expect(first({ lines, Detail: { ...Detail, Mounts: [memory] } }).Fixes[0]?.Command).toContain(
      "--tmpfs /data:uid=1000,gid=1000",
    )
    const image = { ...Detail.Mounts[0]!, Type: "image", RW: false, Readable: false }
    expect(first({ lines, Detail: { ...Detail, Mounts: [image] } }).What).toContain("the image that is mounted there")
    const running = {
      since: "2030-01-01T00:00:00Z",
      usage: {},
      limits: { OOMKills: 0 },
      lines: [{ Stream: "stderr", Text: lines[0]! }] as const,
      user: Detail.User,
      mounts: Detail.Mounts,
    }
    expect(explain(facts({}, { running, status: "running" })).Findings.map(({ Code }) => Code)).toEqual([
      "mount-permission",
    ])
  })

  test("that are read-only, and a root that is", () => {
    const Mounts = [{ ...Detail.Mounts[0]!, RW: false }]
    expect(codes({ lines: ["touch: /data/x: Read-only file system"], Detail: { Mounts } })).toEqual(["mount-read-only"])
    expect(codes({ lines: ["touch: /x: Read-only file system"], Settings: { ReadonlyRootfs: true } })).toEqual([
      "root-read-only",
    ])
  })
})

test("a full disk of the engine is told from a full tmpfs", () => {
  const lines = ["write: No space left on device"]
  expect(first({ lines, Detail: { DiskFree: 10, DiskSize: 1e12 } }).What).toContain("holds its layer")
  expect(first({ lines, Detail: { DiskFree: 5e11, DiskSize: 1e12 } }).What).toContain("not the disk of its layer")
})

test("a limit of processes is known from what the kernel counted", () => {
  const Limits = { OOMKills: 0, ProcessLimit: 10, ProcessesRefused: 4 }
  const found = first({ lines: ["sh: can't fork: Resource temporarily unavailable"], Limits })
  expect([found.Code, found.Fixes[0]?.Command]).toEqual(["process-limit", "dhow update --pids-limit 40 web"])
})

test("a shell without input, and a program in the background, end at once", () => {
  const Usage = { WallTime: 5e6, Missing: [] }
  expect(codes({ ExitCode: 0, Command: ["bash"], Usage })).toEqual(["no-input"])
  expect(codes({ ExitCode: 0, Command: ["bash"], Usage, Settings: { OpenStdin: true } })).toEqual(["done"])
  expect(codes({ ExitCode: 0, Command: ["bash", "build.sh"], Usage })).toEqual(["done"])
  expect(codes({ ExitCode: 0, Command: ["service", "nginx", "start"], Usage })).toEqual(["background"])
})

test("a loop of restarts is told beside its reason", () => {
  const Usage = { WallTime: 1e8, Missing: [] }
  const looping = { RestartCount: 5, WillRestart: true, Usage, Settings: { RestartPolicy: "always" } }
  const earlier = [aReport(looping), aReport(looping)]
  expect(codes({ ...looping, lines: ["connection refused"] }, { earlier, status: "restarting" })).toEqual([
    "connection-refused",
    "restart-loop",
  ])
})

describe("a container that runs", () => {
  const running = { since: "2030-01-01T00:00:00Z", usage: {}, limits: { OOMKills: 0 }, lines: [] }

  test("is told what holds it back", () => {
    const usage = { CPUTime: 1e9, ThrottledTime: 9e9, ThrottledPeriods: 90 }
    expect(codes({}, { running: { ...running, usage } })).toEqual(["throttled"])
    expect(codes({}, { running: { ...running, limits: { OOMKills: 1, MemoryLimit: 1e8 } } })).toEqual(["oom-child"])
    expect(
      codes({}, { running: { ...running, limits: { OOMKills: 0, ProcessLimit: 5, ProcessesRefused: 1 } } }),
    ).toEqual(["process-limit"])
    expect(codes({}, { running })).toEqual([])
  })

  test("and what its check says", () => {
    const health = (Output: string) => ({
      Status: "unhealthy",
      FailingStreak: 3,
      Log: [{ Start: "", End: "", ExitCode: 1, Output }],
    })
    const of = (Output: string) => codes({}, { running, health: health(Output), healthCommand: ["curl", "localhost"] })
    expect(of("refused")).toEqual(["unhealthy"])
    expect(of("Health check exceeded timeout (1s)")).toEqual(["health-timeout"])
    expect(of('exec: "curl": executable file not found in $PATH')).toEqual(["health-command"])
  })

  test("and why it was started again", () => {
    const found = first({ WillRestart: true, RestartCount: 2, ExitCode: 139, Signal: "SIGSEGV" }, { running })
    expect(found.Code).toBe("started-again")
    expect(found.Evidence[0]).toContain("crashed")
  })
})

test("what was never started, and what is not known, is said so", () => {
  const never = explain({ ...facts(), status: "created", last: undefined })
  expect([never.Summary, never.Findings[0]?.Code]).toEqual(["web was never started", "never-started"])
  const unknown = explain({ ...facts(), last: undefined })
  expect([unknown.Summary, unknown.Findings]).toEqual(["web is exited", []])
})

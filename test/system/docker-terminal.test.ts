// docker run, exec and attach in a real terminal: prompt, size, Ctrl-C, detach keys.
import { describe, expect, test } from "bun:test"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker in a terminal", () => {
  const client = docker(testEngine())

  test("run -it shows a prompt, echoes, and ends with the status of the shell", async () => {
    using shell = client.terminal(["run", "--rm", "-it", "bb", "sh"])
    await shell.screen.contains("# ")
    shell.type("tty; exit 6\r")
    await shell.screen.contains("/dev/pts/0\r\n")
    expect(await shell.ended()).toBe(6)
  })

  test("the size of the terminal reaches the program, and so does its change", async () => {
    using shell = client.terminal(["run", "--rm", "-it", "bb", "sh"], { columns: 91, rows: 31 })
    await shell.screen.contains("# ")
    shell.type("until stty size | grep '31 91'; do :; done\r")
    await shell.screen.contains("\n31 91\r\n")
    shell.resize(70, 20)
    shell.type("until stty size | grep '20 70'; do :; done; exit\r")
    await shell.screen.contains("\n20 70\r\n")
    expect(await shell.ended()).toBe(0)
  })

  test("Ctrl-C interrupts what runs in the container, not the client", async () => {
    using shell = client.terminal(["run", "--rm", "-it", "bb", "sh"])
    await shell.screen.contains("# ")
    shell.type("sh -c 'echo be$()gun; exec sleep 60'\r")
    await shell.screen.contains("begun")
    shell.type("\x03")
    await shell.screen.contains(/begun\r\n\^C\r?\n?.*# /s)
    shell.type("exit 8\r")
    expect(await shell.ended()).toBe(8)
  })

  test("Ctrl-C ends a program that does not catch it, with 130", async () => {
    using run = client.terminal(["run", "--rm", "--init", "-it", "bb", "sh", "-c", "echo up; exec sleep 60"])
    await run.screen.contains("up")
    run.type("\x03")
    expect(await run.ended()).toBe(130)
  })

  test("the detach keys leave the container running, and attach comes back to it", async () => {
    using first = client.terminal(["run", "-it", "--name", "kept", "bb", "sh"])
    await first.screen.contains("# ")
    first.type("mark=here\r")
    await first.screen.contains(/mark=here\r\n.*# /s)
    first.type("\x10\x11")
    expect(await first.ended()).toBe(0)
    expect(await client.ok("inspect", "-f", "{{.State.Running}}", "kept")).toBe("true")
    using second = client.terminal(["attach", "kept"])
    second.type("\r")
    await second.screen.contains("# ")
    second.type("echo it is $mark; exit 2\r")
    await second.screen.contains("it is here")
    expect(await second.ended()).toBe(2)
    await client.ok("rm", "kept")
  })

  test("attach tells the program the size of the new terminal", async () => {
    await client.ok("run", "-dit", "--name", "sized", "bb", "sh")
    using attach = client.terminal(["attach", "sized"], { columns: 100, rows: 40 })
    attach.type("until stty size | grep '40 100'; do :; done; exit\r")
    await attach.screen.contains("\n40 100\r\n")
    expect(await attach.ended()).toBe(0)
    await client.ok("rm", "sized")
  })

  test("detach keys of one's own work", async () => {
    using run = client.terminal(["run", "-it", "--name", "own", "--detach-keys", "ctrl-x,x", "bb", "sh"])
    await run.screen.contains("# ")
    run.type("\x18x")
    expect(await run.ended()).toBe(0)
    expect(await client.ok("rm", "-f", "own")).toBe("own")
  })

  test("exec -it has a terminal of its own, with its size, Ctrl-C and status", async () => {
    await client.ok("run", "-d", "--name", "host", "bb", "sleep", "60")
    using shell = client.terminal(["exec", "-it", "host", "sh"], { columns: 66, rows: 22 })
    await shell.screen.contains("# ")
    shell.type("until stty size | grep '22 66'; do :; done\r")
    await shell.screen.contains("\n22 66\r\n")
    shell.resize(50, 10)
    shell.type("until stty size | grep '10 50'; do :; done; sh -c 'echo be$()gun; exec sleep 60'\r")
    await shell.screen.contains("begun")
    shell.type("\x03")
    await shell.screen.contains(/begun\r\n\^C\r?\n?.*# /s)
    shell.type("exit 5\r")
    expect(await shell.ended()).toBe(5)
    using left = client.terminal(["exec", "-it", "host", "sh"])
    await left.screen.contains("# ")
    left.type("\x10\x11")
    // The client's own way: what detaches from an exec is an error to it. The process goes on.
    await left.screen.contains("read escape sequence")
    expect(await left.ended()).toBe(1)
    expect((await client.ok("top", "host")).match(/\bsh$/gm)).toHaveLength(1)
    await client.ok("rm", "-f", "host")
  })

  test("-t without -i gives the program a terminal and keeps the end of lines as terminals write them", async () => {
    const run = await client.run(["run", "--rm", "-t", "bb", "sh", "-c", "tty; echo err >&2"])
    expect(run).toEqual({ status: 0, stdout: "/dev/pts/0\r\nerr\r\n", stderr: "" })
  })
})

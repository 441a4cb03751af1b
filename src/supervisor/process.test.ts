import { describe, expect, test } from "bun:test"
import { isAlive, killExactly, killGroupExactly, processArguments, processStat, watchProcess } from "./process.ts"

/** A process that is not our child: its parent is the shell, which tells its pid and waits. */
async function grandchild(): Promise<{ readonly pid: number; end(): Promise<unknown> }> {
  const shell = Bun.spawn(["sh", "-c", "sleep 100 & echo $!; wait"], { stdio: ["ignore", "pipe", "ignore"] })
  const { value } = await shell.stdout.getReader().read()
  const pid = Number(Buffer.from(value!).toString())
  return { pid, end: () => shell.exited }
}

describe("processStat()", () => {
  test("knows parent, state and start time, and nobody where there is nobody", async () => {
    const stat = processStat(process.pid)!
    expect(stat.parent).toBe(process.ppid)
    expect(stat.startTime).toMatch(/^\d+$/)
    expect(processStat(2 ** 22 + 1)).toBeUndefined()
    expect(processArguments(2 ** 22 + 1)).toEqual([])
  })
})

describe("watchProcess()", () => {
  test("tells the end of a process that is not our child", async () => {
    const { pid, end } = await grandchild()
    const { promise, resolve } = Promise.withResolvers<void>()
    expect(await watchProcess(pid, resolve)).toBe(true)
    process.kill(pid, "SIGKILL")
    await promise
    expect(isAlive(pid)).toBe(false)
    await end()
  })

  test("says false where there is no process", async () => {
    expect(await watchProcess(2 ** 22 + 1, () => {})).toBe(false)
  })
})

describe("killExactly()", () => {
  test("spares a process with another start time", async () => {
    const { pid, end } = await grandchild()
    killExactly(pid, "1")
    killExactly(pid, undefined)
    expect(isAlive(pid)).toBe(true)
    killExactly(pid, processStat(pid)?.startTime)
    await end()
    expect(isAlive(pid)).toBe(false)
  })
})

describe("killGroupExactly()", () => {
  test("ends the whole group, and the one process alone where its group is to be spared", async () => {
    const shell = Bun.spawn(["sh", "-c", "sleep 100 & echo $!; wait"], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    })
    const { value } = await shell.stdout.getReader().read()
    const member = Number(Buffer.from(value!).toString())
    killGroupExactly(member, "1", process.pid)
    expect(isAlive(shell.pid)).toBe(true)
    killGroupExactly(member, processStat(member)?.startTime, process.pid)
    await shell.exited
    while (isAlive(member)) await Bun.sleep(5)

    const { pid, end } = await grandchild()
    killGroupExactly(pid, processStat(pid)?.startTime, process.pid)
    await end()
    expect(isAlive(pid)).toBe(false)
  })
})

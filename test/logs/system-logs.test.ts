// The drivers of the system's own log, each read from what really receives it: rsyslog and journald.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { hostname } from "node:os"
import { loggingContainers, SCRIPT, until, usable } from "./containers.ts"
import { freePort, hasJournald, rsyslogd, startJournal, startRsyslog } from "./receivers.ts"

describe.skipIf(!usable)("drivers of the system's log", () => {
  const containers = loggingContainers()
  const { engine, directory, create, run, wait, read } = containers

  describe.skipIf(rsyslogd === null)("syslog, received by rsyslog", () => {
    const ports = { plain: freePort(), tls: freePort() }
    let server: Awaited<ReturnType<typeof startRsyslog>>
    beforeAll(async () => {
      server = await startRsyslog(directory, ports)
    }, 30_000)
    afterAll(async () => await server?.stop())

    const received = (tag: string): string[] =>
      (existsSync(server.file) ? readFileSync(server.file, "latin1") : "")
        .split("\n")
        .filter((line) => line.includes(tag))

    test.each([
      ["udp", "imudp", ""],
      ["tcp", "imtcp", "rfc3164"],
      ["tcp", "imtcp", "rfc5424"],
      ["tcp+tls", "imtcp", "rfc5424micro"],
      ["unixgram", "imuxsock", "rfc5424micro"],
    ])("%s to %s as %p", async (scheme, input, format) => {
      const tag = `t${containers.made}${scheme.replace("+", "")}`
      const port = scheme === "tcp+tls" ? ports.tls : ports.plain
      const address = scheme === "unixgram" ? `unixgram://${server.socket}` : `${scheme}://127.0.0.1:${port}`
      const id = await run("syslog", {
        "syslog-address": address,
        "syslog-facility": "local3",
        "syslog-format": format,
        tag: `${tag}/{{.Name}}`,
        ...(scheme === "tcp+tls" ? { "syslog-tls-ca-cert": server.ca } : {}),
      })
      await wait(id)
      await until(() => received(tag).length >= 5)
      const lines = received(tag).map((line) => line.replaceAll(`${tag}/${containers.last}`, "TAG"))
      for (const line of lines) expect(line.startsWith(`${input} `)).toBe(true)
      const host = hostname().replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      const clock = "\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d"
      const second = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d"
      const heads: Record<string, string> = {
        "": `${clock} TAG\\[${engine.pid}\\]: `,
        rfc3164: `${clock} ${host} TAG\\[${engine.pid}\\]: `,
        rfc5424: `1 ${second}Z ${host} TAG ${engine.pid} TAG - `,
        rfc5424micro: `1 ${second}\\.\\d{6}Z ${host} TAG ${engine.pid} TAG - `,
      }
      const head = new RegExp(`^${input} ${heads[format]}`)
      for (const line of lines) expect(line).toMatch(head)
      const texts = lines.map((line) => line.replace(head, "").replace(/x{100,}/, (all) => `x*${all.length}`))
      // What is on both streams has no order between them.
      expect(texts.sort()).toEqual(
        [
          "out [local3.info]",
          "err [local3.err]",
          "x*16384 [local3.info]",
          "x*3616 [local3.info]",
          "end [local3.info]",
        ].sort(),
      )
      // The engine's own log is read, as Docker's cache is.
      expect(await read(id)).toBe("end\n")
    })

    test("a receiver whose certificate is not trusted fails the start, unless that is not asked", async () => {
      const options = { "syslog-address": `tcp+tls://127.0.0.1:${ports.tls}`, tag: "skipped" }
      const id = await create("syslog", options)
      const answer = await engine.call("POST", `/containers/${id}/start`)
      expect(answer.status).toBe(500)
      expect(answer.text).toContain("failed to initialize logging driver: ")
      await wait(await run("syslog", { ...options, "syslog-tls-skip-verify": "true" }, "echo insecure"))
      await until(() => received("skipped").length === 1)
    })
  })

  describe.skipIf(!hasJournald)("journald, received by systemd's own", () => {
    const namespace = `dhow${process.pid}`
    let journal: Awaited<ReturnType<typeof startJournal>>
    beforeAll(async () => {
      journal = await startJournal(namespace)
    }, 30_000)
    afterAll(async () => await journal?.stop())

    test("has Docker's fields, and what is sent again has its number again", async () => {
      const script = `${SCRIPT}; sleep 1; printf 'a\\001\\nunfinished'`
      const id = await run("journald", { "journald-namespace": namespace, labels: "team", tag: "{{.Name}}" }, script)
      await until(() => journal.entries(id).length >= 6)
      await engine.kill()
      await engine.start()
      await wait(id)
      const ordinals = () => new Set(journal.entries(id).map((entry) => entry["CONTAINER_LOG_ORDINAL"]))
      await until(() => ordinals().size >= 8)
      const entries = journal.entries(id)
      const once = new Map(entries.map((entry) => [String(entry["CONTAINER_LOG_ORDINAL"]), entry]))
      expect([...once.keys()].map(Number).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect(new Set(entries.map((entry) => entry["CONTAINER_LOG_EPOCH"])).size).toBe(1)
      const err = entries.find((entry) => entry["MESSAGE"] === "err")!
      expect(err).toMatchObject({
        PRIORITY: "3",
        CONTAINER_ID: id.slice(0, 12),
        CONTAINER_NAME: containers.last,
        CONTAINER_TAG: containers.last,
        SYSLOG_IDENTIFIER: containers.last,
        IMAGE_NAME: "bb",
        TEAM: "a b",
      })
      expect(String(err["SYSLOG_TIMESTAMP"])).toMatch(/^\d{4}-.*Z$/)
      const pieces = [...once.values()].filter((entry) => entry["CONTAINER_PARTIAL_ID"] !== undefined)
      expect(pieces.map((entry) => [String(entry["MESSAGE"]).length, entry["CONTAINER_PARTIAL_MESSAGE"]])).toEqual([
        [16384, "true"],
        [3616, undefined],
        [10, "true"],
      ])
    })
  })
})

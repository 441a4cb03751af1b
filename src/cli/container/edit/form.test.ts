import { expect, test } from "bun:test"
import type { ContainerInspect } from "../../../wire/container.ts"
import { changesOf, parseForm, readForm, renderForm } from "./form.ts"

const container = {
  Id: "a".repeat(64),
  Name: "/web",
  State: { Status: "running" },
  Config: {
    Image: "bb",
    Env: ["A=1", 'B=x # y: "q"\n  - z', "C=yes", "D=08", "E="],
    Cmd: ["sh", "-c", "echo: [x]"],
    Labels: { no: "~", "a.b/c": "1e3" },
    Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 30e9 },
  },
  HostConfig: {
    Memory: 64 << 20,
    MemorySwap: -1,
    NanoCpus: 5e8,
    PortBindings: {
      "80/tcp": [
        { HostIp: "127.0.0.1", HostPort: "8080" },
        { HostIp: "", HostPort: "" },
      ],
    },
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
    Tmpfs: { "/t": "" },
    LogConfig: { Type: "json-file", Config: {} },
  },
  Mounts: [{ Type: "volume", Name: "data", Source: "/x", Destination: "/data", Mode: "", RW: false, Propagation: "" }],
} as unknown as ContainerInspect

const form = readForm(container)
const edited = (change: (text: string) => string) => changesOf(form, parseForm(change(renderForm(form, ["title"])))!)

test("a form that is read back says the same, whatever stands in it", () => {
  expect(parseForm(renderForm(form, ["title"]))).toEqual(form)
  expect(edited((text) => text)).toEqual({})
})

test("changesOf() asks for what differs alone", () => {
  expect(edited((text) => text.replace("64m", "96m").replace(/^ {2}A: .*$/m, '  A: "2"\n  F: 7'))).toEqual({
    Memory: 96 << 20,
    EnvAdd: ["A=2", "F=7"],
  })
  expect(edited((text) => text.replace(/127\.0\.0\.1:8080/, "9090").replace("data:/data:ro", "data:/other"))).toEqual({
    PublishAdd: { "80/tcp": [{ HostIp: "", HostPort: "9090" }] },
    PublishRm: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] },
    MountAdd: [{ Type: "volume", Source: "data", Target: "/other" }],
    MountRm: ["/data"],
  })
})

test("changesOf() takes what was emptied or left out for what is not wanted any more", () => {
  expect(edited((text) => text.replace(/^memory: .*\n/m, "").replace(/^cpus: .*$/m, "cpus:"))).toEqual({
    Reset: ["Memory", "NanoCpus", "MemorySwap"],
  })
  expect(edited((text) => text.replace(/^health-cmd: .*$/m, ""))).toEqual({ Healthcheck: { Test: ["NONE"] } })
})

test("parseForm() finds nothing in comments, and says what is wrong with a form", () => {
  expect(parseForm("# nothing\n\n  # here\n")).toBeUndefined()
  const refused = (text: string, why: string): void => expect(() => parseForm(text)).toThrow(why)
  refused("env: [", "It is not YAML")
  refused("- a", "It is no list of settings")
  refused("memroy: 5m", 'There is no setting "memroy"')
  refused("user: a\nuser: b", '"user" is set twice')
  refused("env: [A]", '"env" has to be names and values')
  refused("tty: maybe", '"tty" has to be true or false')
  refused("cpu-shares: 1.5", '"cpu-shares" has to be a whole number')
  expect(() => edited((text) => text.replace("64m", "64q"))).toThrow("\"memory\": invalid suffix: 'q'")
})

import { expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import type { PortMap } from "../wire/container.ts"
import { socketInodes } from "./port-holder.ts"
import { type Bindable, EVERYWHERE, listWanted, Ports } from "./ports.ts"

const request = (bindings: PortMap, owner = "one") => ({ owner, name: owner, exposed: [], bindings, publishAll: false })

test("listWanted() sorts by the container's port and reads ranges", () => {
  const wanted = listWanted(
    request({
      "443/tcp": [{ HostPort: "8443" }],
      "53/udp": [{ HostIp: "127.0.0.1", HostPort: "5300-5310" }],
      "80/tcp": null,
    }),
  )
  expect(wanted).toEqual([
    { protocol: "udp", containerPort: 53, hostIps: ["127.0.0.1"], first: 5300, last: 5310 },
    { protocol: "tcp", containerPort: 443, hostIps: [""], first: 8443, last: 8443 },
  ])
})

test("listWanted() publishes what is exposed only when all is to be published", () => {
  const options = {
    owner: "one",
    name: "one",
    exposed: ["80/tcp", "81/tcp"],
    bindings: { "81/tcp": [{ HostPort: "8081" }] },
  }
  expect(listWanted({ ...options, publishAll: false }).map(({ first }) => first)).toEqual([8081])
  expect(listWanted({ ...options, publishAll: true }).map(({ first }) => first)).toEqual([0, 8081])
})

test("listWanted() publishes in the families that the container has, or at the usual address alone", () => {
  const addresses = (hostIp: string, bindable: Bindable) =>
    listWanted({ ...request({ "80/tcp": [{ HostIp: hostIp }] }), bindable }).map(({ hostIps }) => hostIps)
  expect(addresses("", EVERYWHERE)).toEqual([["", "::"]])
  expect(addresses("", { 6: "::" })).toEqual([["::"]])
  expect(addresses("", { 4: "127.0.0.1", 6: "::" })).toEqual([["127.0.0.1"]])
  expect(addresses("0.0.0.0", { 4: "127.0.0.1" })).toEqual([["0.0.0.0"]])
  expect(addresses("0:0::1", EVERYWHERE)).toEqual([["::1"]])
  expect(() => addresses("127.0.0.1", { 6: "::" })).toThrow("invalid host IP address: 127.0.0.1")
})

test("listWanted() refuses what is no port", () => {
  for (const bindings of [
    { "0/tcp": [{}] },
    { "80/icmp": [{}] },
    { "80/tcp": [{ HostPort: "70000" }] },
    { "80/tcp": [{ HostPort: "9-8" }] },
    { "80/tcp": [{ HostPort: "http" }] },
    { "80/tcp": [{ HostIp: "::1" }] },
  ])
    expect(() => listWanted(request(bindings))).toThrow()
})

test("Ports.choose() holds all or nothing", () => {
  const ports = new Ports()
  const descriptors = () => readdirSync("/proc/self/fd").length
  const [first] = ports.choose(request({ "80/tcp": [{ HostIp: "127.0.0.1" }] }))
  const before = descriptors()
  const taken = { HostIp: "127.0.0.1", HostPort: String(first?.hostPort) }
  expect(() => ports.choose(request({ "80/tcp": [{ HostIp: "127.0.0.1" }], "81/tcp": [taken] }, "two"))).toThrow(
    `driver failed programming external connectivity on endpoint two (two): Bind for 127.0.0.1:${first?.hostPort} failed: port is already allocated`,
  )
  expect(descriptors()).toBe(before)
  ports.close()
  expect(descriptors()).toBe(before - 1)
})

test("Ports.choose() takes one port for both families, and tells their conflicts apart", () => {
  const ports = new Ports()
  const choose = (owner: string, HostIp: string, HostPort = "") =>
    ports.choose({ ...request({ "80/tcp": [{ HostIp, HostPort }] }, owner), bindable: EVERYWHERE })
  const both = choose("both", "")
  expect(both.map(({ hostIp }) => hostIp)).toEqual(["", "::"])
  expect(both[0]?.hostPort).toBe(both[1]!.hostPort)
  const [six] = choose("six", "::1")
  expect(choose("four", "127.0.0.1", String(six?.hostPort))).toHaveLength(1)
  expect(() => choose("late", "::", String(six?.hostPort))).toThrow(
    `Bind for [::]:${six?.hostPort} failed: port is already allocated`,
  )
  const server = Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } })
  expect(() => choose("late", "::1", String(server.port))).toThrow("address already in use")
  server.stop(true)
  ports.close()
})

test("Ports.choose() of the same owner starts over", () => {
  const ports = new Ports()
  const [first] = ports.choose(request({ "80/tcp": [{ HostIp: "127.0.0.1" }] }))
  const HostPort = String(first?.hostPort)
  expect(ports.choose(request({ "80/tcp": [{ HostIp: "127.0.0.1", HostPort }] }))).toEqual([first!])
  ports.close()
})

test("socketInodes() finds listeners of both families by their port", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
`
  expect(socketInodes(table, 8080, true)).toEqual(["4711"])
  expect(socketInodes(table, 8080, false)).toEqual(["4711", "4712"])
})

test("a port that is named is not given to another binding of the same container before", () => {
  const ports = new Ports()
  const choose = (bindings: PortMap) => ports.choose(request(bindings))
  for (let tries = 0; tries < 20; tries++) {
    const next = choose({ "80/tcp": [{}] })[0]!.hostPort + 1
    try {
      choose({ "81/tcp": [{ HostPort: String(next) }] })
    } catch {
      // Somebody on this host has it.
      continue
    }
    // Free ports are given in order: without the name it would be this one's turn.
    ports.release("one")
    expect(choose({ "80/tcp": [{}], "81/tcp": [{ HostPort: String(next) }] }).map(({ hostPort }) => hostPort)).toEqual([
      expect.any(Number),
      next,
    ])
    break
  }
  expect.assertions(1)
  ports.close()
})

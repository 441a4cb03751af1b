import { expect, test } from "bun:test"
import type { PortMapping } from "../../../network/contract.ts"
import { changeBindings } from "./ports.ts"

const mapping = (containerPort: number, hostPort: number, hostIp = ""): PortMapping => ({
  protocol: "tcp",
  containerPort,
  hostPort,
  hostIp,
})
const web = {
  name: "web",
  bindings: {
    "80/tcp": [
      { HostIp: "", HostPort: "8080" },
      { HostIp: "127.0.0.1", HostPort: "" },
    ],
    "443/tcp": [{ HostPort: "8443" }],
  },
  publishAll: false,
  published: [mapping(80, 8080), mapping(80, 49153, "127.0.0.1"), mapping(443, 8443)],
}

test("changeBindings() adds bindings after those that are there, and leaves the others alone", () => {
  const { bindings, add, remove } = changeBindings(web, { "80": [{ HostPort: "9090" }], "53/udp": null }, {})
  expect(bindings["80/tcp"]?.map(({ HostPort }) => HostPort)).toEqual(["8080", "", "9090"])
  expect(bindings["53/udp"]).toEqual([{ HostIp: "", HostPort: "" }])
  expect(Object.keys(add)).toEqual(["80/tcp", "53/udp"])
  expect(remove).toEqual([])
})

test("changeBindings() takes all bindings of a port, or the one that is named by what was asked for or chosen", () => {
  expect(changeBindings(web, {}, { "80": null })).toMatchObject({
    bindings: { "443/tcp": [{ HostPort: "8443" }] },
    remove: [mapping(80, 8080), mapping(80, 49153, "127.0.0.1")],
  })
  expect(changeBindings(web, {}, { "80/tcp": [{ HostPort: "8080" }] }).remove).toEqual([mapping(80, 8080)])
  const chosen = changeBindings(web, {}, { "80/tcp": [{ HostPort: "49153" }] })
  expect(chosen.remove).toEqual([mapping(80, 49153, "127.0.0.1")])
  expect(chosen.bindings["80/tcp"]).toEqual([{ HostIp: "", HostPort: "8080" }])
})

test("changeBindings() refuses to take what is not there", () => {
  expect(() => changeBindings(web, {}, { "81": null })).toThrow('Port 81/tcp of container "web" is not published')
  expect(() => changeBindings(web, {}, { "80": [{ HostIp: "10.0.0.1", HostPort: "8080" }] })).toThrow(
    'Port 80/tcp of container "web" is not published at 10.0.0.1:8080',
  )
})

test("changeBindings() of a container that does not run changes what is asked for alone", () => {
  const { remove, bindings } = changeBindings({ ...web, published: [] }, {}, { "443/tcp": [{ HostPort: "8443" }] })
  expect(remove).toEqual([])
  expect(Object.keys(bindings)).toEqual(["80/tcp"])
})

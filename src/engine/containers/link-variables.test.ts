import { expect, test } from "bun:test"
import { linkVariables } from "./link-variables.ts"
import { withAddresses } from "./links.ts"

test("linkVariables() names ports, ranges of them, the link, and the child's own variables", () => {
  const ports = { "53/udp": {}, "8081/tcp": {}, "80/tcp": {}, "8080/tcp": {} }
  const environment = ["A=b=c", "PATH=/bin", "HOME=/", "bare"]
  expect(linkVariables("/web/my-db", { address: "10.0.0.2", environment, ports })).toEqual([
    "MY_DB_PORT=tcp://10.0.0.2:80",
    ...["=tcp://10.0.0.2:80", "_ADDR=10.0.0.2", "_PORT=80", "_PROTO=tcp"].map((end) => `MY_DB_PORT_80_TCP${end}`),
    ...["=tcp://10.0.0.2:8080", "_ADDR=10.0.0.2", "_PORT=8080", "_PROTO=tcp"].map((end) => `MY_DB_PORT_8080_TCP${end}`),
    ...["=tcp://10.0.0.2:8081", "_ADDR=10.0.0.2", "_PORT=8081", "_PROTO=tcp"].map((end) => `MY_DB_PORT_8081_TCP${end}`),
    ...["=udp://10.0.0.2:53", "_ADDR=10.0.0.2", "_PORT=53", "_PROTO=udp"].map((end) => `MY_DB_PORT_53_UDP${end}`),
    ...["START=tcp://10.0.0.2:8080", "PORT_START=8080"].map((end) => `MY_DB_PORT_8080_TCP_${end}`),
    ...["END=tcp://10.0.0.2:8081", "PORT_END=8081"].map((end) => `MY_DB_PORT_8080_TCP_${end}`),
    "MY_DB_NAME=/web/my-db",
    "MY_DB_ENV_A=b=c",
  ])
  expect(linkVariables("/web/db", { address: "10.0.0.2", environment: [], ports: {} })).toEqual(["DB_NAME=/web/db"])
})

test("withAddresses() changes the lines that begin with the alias, and of each family its own", () => {
  const before = "10.0.0.2\tdb x\nfd00::2\tdb x\n10.0.0.2\tother db\n10.0.0.2\tdb2\nmine\tdb-too\n"
  const after = "10.0.0.9\tdb x\nfd00::9\tdb x\n10.0.0.2\tother db\n10.0.0.2\tdb2\nmine\tdb-too\n"
  expect(withAddresses(before, "db", ["10.0.0.9", "fd00::9"])).toBe(after)
  expect(withAddresses(before, "db", ["10.0.0.9"])).toContain("fd00::2\tdb x")
})

import { expect, test } from "bun:test"
import { hostsFile, parseExtraHost, resolvConf } from "./files.ts"

const plain = { mode: "bridge", dns: [], dnsSearch: [], dnsOptions: [], nameservers: [] } as const

test("resolvConf() hands the host's reachable name servers on and drops loopback and IPv6 ones", () => {
  const host =
    "# made by hand\nnameserver 127.0.0.1\nnameserver fd00::1\nnameserver 10.0.0.53\nsearch a.example b.example\n"
  expect(resolvConf({ ...plain, host })).toBe("nameserver 10.0.0.53\nsearch a.example b.example\n")
})

test("resolvConf() falls back on public name servers where none is reachable", () => {
  expect(resolvConf({ ...plain, host: "nameserver 127.0.0.53\noptions edns0\n" })).toBe(
    "nameserver 8.8.8.8\nnameserver 8.8.4.4\noptions edns0\n",
  )
})

test("resolvConf() lets the user's values replace the host's, one kind at a time", () => {
  const host = "nameserver 10.0.0.53\nsearch a.example\noptions ndots:2\n"
  expect(resolvConf({ ...plain, host, dns: ["127.0.0.9"], dnsSearch: ["."] })).toBe(
    "nameserver 127.0.0.9\noptions ndots:2\n",
  )
  expect(() => resolvConf({ ...plain, host, dns: ["nonsense"] })).toThrow("bad nameserver address nonsense")
})

test("resolvConf() of the host's network keeps loopback servers", () => {
  expect(resolvConf({ ...plain, mode: "host", host: "nameserver 127.0.0.53\n" })).toBe("nameserver 127.0.0.53\n")
})

test("resolvConf() names the networks' resolver alone, and says whom it asks in turn", () => {
  const text = resolvConf({
    ...plain,
    host: "nameserver 10.0.0.53\nnameserver ::1\nsearch a.example\noptions edns0 trust-ad\nsortlist 10.0.0.0\n",
    nameservers: ["127.0.0.11"],
  })
  expect(text.slice(text.indexOf("nameserver"))).toBe(`nameserver 127.0.0.11
search a.example
options edns0 trust-ad ndots:0
sortlist 10.0.0.0

# Based on host file: '/etc/resolv.conf' (internal resolver)
# ExtServers: [host(10.0.0.53) host(::1)]
# Overrides: []
# Option ndots from: internal
`)
  const host = "nameserver 127.0.0.53\noptions ndots:1\n"
  const chosen = { dns: ["10.9.9.9"], dnsSearch: ["b.example"], dnsOptions: ["ndots:nonsense", "rotate"] }
  const asked = resolvConf({ ...plain, ...chosen, host, nameservers: ["127.0.0.11"] })
  expect(asked).toContain("search b.example\noptions rotate ndots:0\n")
  expect(asked).toContain("# ExtServers: [10.9.9.9]\n# Overrides: [nameservers search options]\n")
  expect(resolvConf({ ...plain, host, nameservers: ["127.0.0.11"] })).toContain("# Option ndots from: host\n")
  expect(resolvConf({ ...plain, host: "", nameservers: ["127.0.0.11"] })).toContain(
    "# NO EXTERNAL NAMESERVERS DEFINED\n",
  )
})

test("hostsFile() lists loopback, extra hosts and the container's own names", () => {
  const text = hostsFile({
    mode: "bridge",
    host: "",
    hostname: "web",
    domainname: "example.org",
    addresses: ["172.17.0.2"],
    extraHosts: ["db:10.0.0.9", "six=::1", "up:host-gateway"],
    hostGateway: "172.17.0.1",
  })
  expect(text).toStartWith("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
  expect(text).toEndWith("10.0.0.9\tdb\n::1\tsix\n172.17.0.1\tup\n172.17.0.2\tweb.example.org web\n")
})

test("hostsFile() of the host's network is the host's own file until a host is added", () => {
  const options = { mode: "host", host: "1.1.1.1 one\n", hostname: "h", domainname: "", addresses: [] } as const
  expect(hostsFile({ ...options, extraHosts: [], hostGateway: "" })).toBe("1.1.1.1 one\n")
  expect(hostsFile({ ...options, extraHosts: ["a:1.2.3.4"], hostGateway: "" })).toEndWith("1.2.3.4\ta\n")
})

test("parseExtraHost() takes IPv6 addresses and refuses what is none", () => {
  expect(parseExtraHost("a:2001:db8::1", "")).toEqual(["2001:db8::1", "a"])
  expect(parseExtraHost("a:[2001:db8::1]", "")).toEqual(["2001:db8::1", "a"])
  expect(() => parseExtraHost("a:b", "")).toThrow('invalid IP address in add-host: "b"')
  expect(() => parseExtraHost("nothing", "")).toThrow('bad format for add-host: "nothing"')
})

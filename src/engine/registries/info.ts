// What GET /info says of registries and proxies: the settings in Docker's form.
import type { RegistriesConfig } from "../../config.ts"

const LOOPBACK = ["::1/128", "127.0.0.0/8"]

export function registryInfo({ hosts = {}, insecureBlocks = [], prefixes = {} }: RegistriesConfig) {
  const mirrors = (prefixes["docker.io"]?.mirrors ?? []).map((mirror) => {
    const isPlain = hosts[mirror.split("/", 1)[0]!]?.insecure === true
    return `${isPlain ? "http" : "https"}://${mirror}/`
  })
  const insecure = Object.entries(hosts).filter(([, host]) => host.insecure === true)
  return {
    InsecureRegistryCIDRs: [...LOOPBACK, ...insecureBlocks],
    IndexConfigs: {
      "docker.io": { Name: "docker.io", Mirrors: mirrors, Secure: true, Official: true },
      ...Object.fromEntries(
        insecure.map(([Name]) => [Name, { Name, Mirrors: [], Secure: false, Official: false }] as const),
      ),
    },
    Mirrors: mirrors,
  }
}

/** Without a password that an address may hold. */
export function proxyInfo(environment: Readonly<Record<string, string | undefined>>) {
  const value = (name: string): string => environment[name] || environment[name.toLowerCase()] || ""
  const masked = (text: string): string => text.replace(/\/\/[^@/]*@/, "//xxxxx:xxxxx@")
  return {
    HttpProxy: masked(value("HTTP_PROXY")),
    HttpsProxy: masked(value("HTTPS_PROXY")),
    NoProxy: value("NO_PROXY"),
  }
}

// Values as they may be shown: without passwords in addresses of proxies and without tokens among the options of a log driver.
const SECRET = /token|password|secret|credential/i

export function masked(key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value
  if (key !== "proxies" && key !== "log-opts") return value
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => [
      name,
      typeof text !== "string" ? text : SECRET.test(name) ? "xxxxx" : text.replace(/\/\/[^@/]*@/, "//xxxxx:xxxxx@"),
    ]),
  )
}

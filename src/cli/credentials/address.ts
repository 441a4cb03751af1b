// The names under which credentials of a registry are kept.

/** Docker Hub's, since its first version. */
export const HUB_KEY = "https://index.docker.io/v1/"

/** The key for images of a registry: "docker.io", "registry.example.com:5000". */
export function keyOf(domain: string): string {
  return domain === "docker.io" || domain === "index.docker.io" ? HUB_KEY : domain
}

/** "https://registry.example.com:5000/v2/" and "registry.example.com:5000" are one registry. */
export function hostOf(address: string): string {
  if (address.includes("://") && URL.canParse(address)) {
    // URL drops the default port of the scheme; whoever wrote it down meant it.
    const host = /^[^:]+:\/\/(?:[^@/]*@)?([^/?#]+)/.exec(address)?.[1]
    if (host !== undefined) return host
  }
  const slash = address.indexOf("/")
  return slash < 0 ? address : address.slice(0, slash)
}

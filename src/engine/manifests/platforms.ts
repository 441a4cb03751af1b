// The platforms that an entry of a list may be annotated with: those docker's client takes, and a few that came since.

const ARCHITECTURES: Readonly<Record<string, string>> = {
  darwin: "386 amd64 arm arm64",
  dragonfly: "amd64",
  freebsd: "386 amd64 arm",
  linux: "386 amd64 arm arm64 loong64 mips64 mips64le ppc64le riscv64 s390x",
  netbsd: "386 amd64 arm",
  openbsd: "386 amd64 arm",
  plan9: "386 amd64",
  solaris: "amd64",
  windows: "386 amd64 arm64",
}

export function isKnownPlatform({ os, architecture }: { readonly os: string; readonly architecture: string }): boolean {
  return Object.hasOwn(ARCHITECTURES, os) && ARCHITECTURES[os]!.split(" ").includes(architecture)
}

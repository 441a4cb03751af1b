// GET /info as clients of older versions know it: fields that came and went.

type Info = Readonly<Record<string, unknown>>
type Commit = { readonly ID: string }

export function infoAt(info: Info, api: number): Info {
  let shown: Record<string, unknown> = { ...info }
  if (api < 25) shown["SecurityOptions"] = (info["SecurityOptions"] as string[]).map(nameOnly)
  if (api < 42) shown["KernelMemory"] = info["KernelMemoryTCP"]
  if (api < 47)
    shown["RegistryConfig"] = {
      ...(info["RegistryConfig"] as object),
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
    }
  if (api < 49) {
    for (const name of ["ContainerdCommit", "RuncCommit", "InitCommit"]) {
      const { ID } = info[name] as Commit
      shown[name] = { ID, Expected: ID }
    }
    const { FirewallBackend: _later, ...rest } = shown
    shown = rest
  }
  const { DiscoveredDevices: devices, ...rest } = shown
  if (api < 50) return { ...rest, BridgeNfIptables: false, BridgeNfIp6tables: false }
  return (devices as readonly unknown[] | undefined)?.length ? shown : rest
}

/** "name=seccomp,profile=builtin" was "seccomp". */
function nameOnly(option: string): string {
  return /^name=([^,]+)/.exec(option)?.[1] ?? option
}

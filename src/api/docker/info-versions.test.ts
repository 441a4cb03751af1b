import { expect, test } from "bun:test"
import { infoAt } from "./info-versions.ts"

const INFO = {
  SecurityOptions: ["name=seccomp,profile=builtin", "name=cgroupns"],
  RegistryConfig: { Mirrors: [] },
  ContainerdCommit: { ID: "N/A" },
  RuncCommit: { ID: "f8a0" },
  InitCommit: { ID: "N/A" },
  FirewallBackend: { Driver: "nftables" },
  KernelMemoryTCP: true,
  DiscoveredDevices: [{ Source: "cdi", ID: "vendor.com/device=1" }],
}

test("infoAt() leaves the newest version as it is, but for a list of no devices", () => {
  expect(infoAt(INFO, 51)).toEqual(INFO)
  expect(infoAt({ ...INFO, DiscoveredDevices: [] }, 51)).not.toHaveProperty("DiscoveredDevices")
})

test("infoAt() gives older clients the fields of their time", () => {
  const old = infoAt(INFO, 41)
  expect(old).toMatchObject({
    KernelMemory: true,
    BridgeNfIptables: false,
    RuncCommit: { ID: "f8a0", Expected: "f8a0" },
    RegistryConfig: { Mirrors: [], AllowNondistributableArtifactsCIDRs: null },
    SecurityOptions: INFO.SecurityOptions,
  })
  expect(old).not.toHaveProperty("FirewallBackend")
  expect(old).not.toHaveProperty("DiscoveredDevices")
  expect(infoAt(INFO, 24)["SecurityOptions"]).toEqual(["seccomp", "cgroupns"])
})

// A service's limits and devices, as the Engine API has them.
import type { DeviceRequest, Resources } from "../wire/container.ts"
import type { DeviceRequest as GivenRequest, Service } from "./model.ts"

const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

export function resourcesOf(service: Service): Resources {
  const limits = service.deploy?.resources?.limits
  const reserved = service.deploy?.resources?.reservations
  const cpus = limits?.cpus ?? service.cpus
  const blkio = service.blkio_config
  const rates = (given: readonly { readonly path: string; readonly rate: string }[] | undefined) =>
    given?.map(({ path, rate }) => ({ Path: path, Rate: Number(rate) }))
  const devices = (service.devices ?? []).filter(({ source, target }) => !isCdi(source, target))
  const cdi = (service.devices ?? []).filter(({ source, target }) => isCdi(source, target)).map(({ source }) => source)
  return given<Resources>({
    CgroupParent: service.cgroup_parent,
    Memory: number(limits?.memory ?? service.mem_limit),
    MemoryReservation: number(reserved?.memory ?? service.mem_reservation),
    MemorySwap: number(service.memswap_limit),
    MemorySwappiness: number(service.mem_swappiness),
    OomKillDisable: service.oom_kill_disable,
    CpuCount: service.cpu_count,
    CpuPercent: service.cpu_percent === undefined ? undefined : Math.trunc(service.cpu_percent * 100),
    CpuPeriod: service.cpu_period,
    CpuQuota: service.cpu_quota,
    CpuRealtimePeriod: service.cpu_rt_period,
    CpuRealtimeRuntime: service.cpu_rt_runtime,
    CpuShares: service.cpu_shares,
    CpusetCpus: service.cpuset,
    NanoCpus: cpus === undefined ? undefined : Math.round(cpus * 1e9),
    PidsLimit: limits?.pids ?? service.pids_limit,
    BlkioWeight: blkio?.weight,
    BlkioWeightDevice: blkio?.weight_device?.map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: rates(blkio?.device_read_bps),
    BlkioDeviceReadIOps: rates(blkio?.device_read_iops),
    BlkioDeviceWriteBps: rates(blkio?.device_write_bps),
    BlkioDeviceWriteIOps: rates(blkio?.device_write_iops),
    DeviceCgroupRules: service.device_cgroup_rules === undefined ? undefined : [...service.device_cgroup_rules],
    Devices: devices.map(({ source, target, permissions }) => ({
      PathOnHost: source,
      PathInContainer: target,
      CgroupPermissions: permissions,
    })),
    DeviceRequests: [
      ...(cdi.length === 0 ? [] : [{ Driver: "cdi", DeviceIDs: cdi }]),
      ...(service.gpus ?? []).map((gpu) => request(gpu, [...(gpu.capabilities ?? []), "gpu"])),
      ...(reserved?.devices ?? []).map((device) => request(device, device.capabilities ?? [])),
    ],
    Ulimits: Object.entries(service.ulimits ?? {}).map(([name, limit]) => {
      const { soft, hard } = typeof limit === "number" ? { soft: limit, hard: limit } : limit
      return { Name: name, Soft: soft, Hard: hard }
    }),
  })
}

/** A device of the container device interface: "vendor.com/class=name". */
function isCdi(source: string, target: string): boolean {
  return source === target && /^[\w.-]+\/[\w.-]+=[\w.:-]+$/.test(source)
}

function request(device: GivenRequest, capabilities: readonly string[]): DeviceRequest {
  return given<DeviceRequest>({
    Driver: device.driver,
    Count: device.count,
    DeviceIDs: device.device_ids === undefined ? undefined : [...device.device_ids],
    Capabilities: [[...capabilities]],
    Options: device.options === undefined ? undefined : { ...device.options },
  })
}

/** Without what is not there. */
export function given<T extends object>(fields: { readonly [Name in keyof T]: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

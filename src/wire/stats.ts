// GET /containers/{id}/stats: one reading of what a container uses. Fields as in Docker's API; counters only grow while
// the container runs. Times in nanoseconds, sizes in bytes.

export type CpuStats = {
  cpu_usage: {
    total_usage: number
    /** Only where the kernel tells (cgroup v1). */
    percpu_usage?: number[]
    usage_in_kernelmode: number
    usage_in_usermode: number
  }
  /** Of the whole host. */
  system_cpu_usage?: number
  online_cpus?: number
  throttling_data: { periods: number; throttled_periods: number; throttled_time: number }
}

export type MemoryStats = {
  usage?: number
  /** Only where the kernel tells (cgroup v1). */
  max_usage?: number
  /** Lines of memory.stat, whose names differ between cgroup v1 and v2. */
  stats?: Record<string, number>
  failcnt?: number
  /** The host's memory where the container has no limit. */
  limit?: number
}

export type BlkioEntry = { major: number; minor: number; op: string; value: number }

export type BlkioStats = {
  io_service_bytes_recursive: BlkioEntry[] | null
  io_serviced_recursive: BlkioEntry[] | null
  io_queue_recursive: BlkioEntry[] | null
  io_service_time_recursive: BlkioEntry[] | null
  io_wait_time_recursive: BlkioEntry[] | null
  io_merged_recursive: BlkioEntry[] | null
  io_time_recursive: BlkioEntry[] | null
  sectors_recursive: BlkioEntry[] | null
}

export type NetworkStats = {
  rx_bytes: number
  rx_packets: number
  rx_errors: number
  rx_dropped: number
  tx_bytes: number
  tx_packets: number
  tx_errors: number
  tx_dropped: number
  /** dhow's own, and only where there is a limit: bytes per second each way, 0 for none. */
  rx_limit?: number
  tx_limit?: number
  /** Packets that the limit has dropped, besides those above. */
  rx_limit_dropped?: number
  tx_limit_dropped?: number
  /** How often the limit made a packet wait. */
  rx_limit_delayed?: number
  tx_limit_delayed?: number
}

export type PidsStats = { current?: number; limit?: number }

export type ContainerStats = {
  name: string
  id: string
  /** RFC 3339; the year 1 where nothing was read. */
  read: string
  preread: string
  pids_stats: PidsStats
  blkio_stats: BlkioStats
  num_procs: number
  storage_stats: Record<string, never>
  cpu_stats: CpuStats
  precpu_stats: CpuStats
  memory_stats: MemoryStats
  networks?: Record<string, NetworkStats>
}

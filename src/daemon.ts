// START HERE. Builds every part in order, wires them, makes rows and reality agree, serves. There is no orderly end but
// the end of the process: being killed at any instant is normal.
import { join } from "node:path"
import { serve } from "./api/serve.ts"
import type { RegistriesConfig } from "./config.ts"
import { openContentStore } from "./content/store.ts"
import { openContainers } from "./engine/containers/containers.ts"
import { imagesOf } from "./engine/containers/image-mounts.ts"
import { findInit } from "./engine/containers/init.ts"
import { LiveContainers } from "./engine/containers/live.ts"
import { logDefaults } from "./engine/containers/log-settings.ts"
import type { ContainerParts } from "./engine/containers/parts.ts"
import { Readers } from "./engine/containers/readers.ts"
import { isRunning } from "./engine/containers/record.ts"
import { startLocked } from "./engine/containers/start.ts"
import { killContainer, restartContainer, stopContainer } from "./engine/containers/stop.ts"
import { ContainerStore } from "./engine/containers/store.ts"
import { describeUsers, volumeUsers } from "./engine/containers/volume-users.ts"
import { volumeWorkOf } from "./engine/containers/volume-work.ts"
import type { Engine } from "./engine/contract.ts"
import { openDiskUsage } from "./engine/disk/usage.ts"
import { EventLog } from "./engine/events.ts"
import { ContainerExecs } from "./engine/execs/execs.ts"
import { runProbe } from "./engine/execs/probe.ts"
import { ExitTable } from "./engine/exits/table.ts"
import { openCollector } from "./engine/gc.ts"
import { openImages } from "./engine/images/images.ts"
import { LogForwarders } from "./engine/logging/forwarders.ts"
import { KeptLogs } from "./engine/logging/kept.ts"
import { openLogs } from "./engine/logging/logs.ts"
import { checkLogDefaults } from "./engine/logging/options.ts"
import { openNames } from "./engine/names.ts"
import { openNetworksNoun } from "./engine/networks.ts"
import { openPlatforms } from "./engine/platforms.ts"
import { reconcile, resumeRestarts } from "./engine/reconcile.ts"
import { openRegistryAccess } from "./engine/registries/access.ts"
import { registryRecords } from "./engine/registry/records.ts"
import { openRegistry, type Registry } from "./engine/registry/registry.ts"
import { emitReload } from "./engine/reload-event.ts"
import { restWhenIdle } from "./engine/rest.ts"
import { openSystem } from "./engine/system.ts"
import { openVolumes } from "./engine/volumes/open.ts"
import { copyMounts, imageMounts, layerMounts, prepareExecRoot, uppersMounts } from "./exec-root.ts"
import { Background } from "./lib/background.ts"
import { describeError } from "./lib/errors.ts"
import { readIfExists } from "./lib/files.ts"
import { KeyedLock } from "./lib/keyed-lock.ts"
import { lazily } from "./lib/lazily.ts"
import { log } from "./lib/log.ts"
import { ownCommand } from "./lib/own-command.ts"
import { VERSION } from "./lib/version.ts"
import { poolOf } from "./network/ipam/pools.ts"
import { openNetworks } from "./network/open.ts"
import { openResolver } from "./network/resolver/open.ts"
import type { Digest } from "./oci/digest.ts"
import { openRegistries } from "./registry/client.ts"
import { claimExecRoot, lockRoot, makeRoot } from "./root-lock.ts"
import { prepareHost, probeHost } from "./runtime/host.ts"
import { openRuntimes } from "./runtime/runtimes.ts"
import { applySettings, beginSettings, writePidFile } from "./settings/apply.ts"
import { inKey } from "./settings/build.ts"
import { LiveConfig } from "./settings/live.ts"
import { sourcesOf } from "./settings/sources.ts"
import { openCopies } from "./snapshot/copies.ts"
import { openSnapshotter } from "./snapshot/open.ts"
import { openStacks } from "./snapshot/stacks.ts"
import { openUppers } from "./snapshot/uppers.ts"
import { Database } from "./state/database.ts"
import { Reserve } from "./state/reserve.ts"
import { openSupervisor } from "./supervisor/conmon.ts"

/** Serves until the process is told to end; resolves with its exit status. */
export async function runDaemon(args: readonly string[]): Promise<number> {
  const sources = sourcesOf(args, process.env)
  const live = new LiveConfig(sources, (config) => inKey("log-opts", () => checkLogDefaults(logDefaults(config))))
  if (sources.validate) {
    process.stdout.write("configuration OK\n")
    return 0
  }
  const config = live.view
  beginSettings(config)
  const { engine, registry, parts, close } = await openEngine(live)
  const server = await serve({ engine, registry, hosts: config.hosts, group: config.group, version: VERSION })
  writePidFile(config)
  live.follow({
    bridgeUsers: () => parts.networks.owners().length,
    apply: (now, keys) => applySettings(now, keys, { server, networks: parts.networks }),
    reloaded: () => emitReload(parts),
  })
  process.on("SIGHUP", () => {
    live.reload().catch((error: unknown) => {
      log.error("The configuration stays as it was", { error: describeError(error) })
    })
  })
  surviveSurprises()
  resumeRestarts(parts)
  restWhenIdle(parts.events)
  log.info("Serving", { addresses: server.addresses, dataRoot: config.dataRoot, version: VERSION, pid: process.pid })
  const signal = await new Promise<string>((resolve) => {
    process.on("SIGTERM", () => resolve("SIGTERM"))
    process.on("SIGINT", () => resolve("SIGINT"))
  })
  log.info("Ending; containers go on", { signal })
  server.close()
  close()
  return 0
}

/**
 * An error that nobody caught belongs to one request or one container, and the others must not lose their engine over
 * it: what it left half-done is mended at the next start, as after any crash.
 */
function surviveSurprises(): void {
  process.on("uncaughtException", (error) => logSurprise("An exception was caught by nobody", error))
  process.on("unhandledRejection", (reason) => logSurprise("A rejected promise was awaited by nobody", reason))
}

function logSurprise(message: string, error: unknown): void {
  log.error(message, { error: describeError(error), stack: error instanceof Error ? error.stack : undefined })
}

/** Actions on images after which the disk may be fuller. */
const BRINGS_BYTES: ReadonlySet<string> = new Set(["pull", "load", "import", "create", "tag", "commit"])

export type OpenEngine = {
  readonly engine: Engine
  readonly registry: Registry
  readonly parts: ContainerParts
  readonly close: () => void
}

/** The engine over one state root, reconciled. `close` lets go of the database; nothing is stopped. */
export async function openEngine(live: LiveConfig): Promise<OpenEngine> {
  const config = live.view
  prepareHost()
  const host = probeHost()
  makeRoot(config.dataRoot)
  lockRoot(config.dataRoot, "state root")
  prepareExecRoot(config.execRoot)
  claimExecRoot(config.execRoot, config.dataRoot)
  const database = Database.open(join(config.dataRoot, "dhow.db"))
  database.useReserve(new Reserve(join(config.dataRoot, "reserve")))
  const content = openContentStore(database, join(config.dataRoot, "content"))
  const snapshotter = openSnapshotter(database, {
    driver: config.storageDriver,
    directory: join(config.dataRoot, "snapshots"),
    mounts: layerMounts(config),
    internalCommand: [...ownCommand(), "internal"],
  })
  const uppers = openUppers({
    snapshotter,
    directory: uppersMounts(config),
    internalCommand: [...ownCommand(), "internal"],
  })
  const copies = openCopies({
    snapshotter,
    directory: copyMounts(config),
    internalCommand: [...ownCommand(), "internal"],
  })
  const runtimes = openRuntimes({
    execRoot: config.execRoot,
    facts: host,
    get defaultRuntime() {
      return config.defaultRuntime
    },
    get runtimes() {
      return config.runtimes
    },
  })
  const supervisor = openSupervisor({ execRoot: config.execRoot })
  const resolver = openResolver({
    execRoot: config.execRoot,
    database: join(config.dataRoot, "dhow.db"),
    internalCommand: [...ownCommand(), "internal"],
  })
  const networks = openNetworks({
    database,
    execRoot: config.execRoot,
    resolver,
    bridge: config.bridge,
    get bip() {
      return config.bip
    },
    get pool() {
      return config.networkPool
    },
    get publishAddress() {
      return config.publishAddress
    },
    get addressPools() {
      return config.addressPools?.map(({ base, size }) => poolOf(base, size))
    },
    get defaultOptions() {
      return config.networkOptions
    },
    hostId: readIfExists("/etc/machine-id")?.trim() ?? "",
  })
  const events = new EventLog(database)
  const store = new ContainerStore(database)
  const volumes = openVolumes({
    database,
    root: config.dataRoot,
    internalCommand: [...ownCommand(), "internal"],
    events,
    usedBy: (name) => volumeUsers({ store }, name),
    users: (name) => describeUsers({ store }, name),
    mountLimit: () => config.volumeMountTimeout * 1000,
  })
  const pushed = registryRecords(database)
  const collector = openCollector({
    database,
    content,
    snapshotter,
    held: () => [...pushed.contents(), ...images.manifests.held()],
  })
  const settings = (): RegistriesConfig => {
    live.refresh()
    return config.registries
  }
  const registries = openRegistries({ settings })
  const images = openImages({
    internalCommand: [...ownCommand(), "internal"],
    database,
    content,
    snapshotter,
    collector,
    platformCompat: () => config.platformCompat,
    limitRate: () => config.limitRate,
    transfers: () => ({ downloads: config.maxConcurrentDownloads, uploads: config.maxConcurrentUploads }),
    registries,
    root: config.dataRoot,
    gc: () => {
      live.refresh()
      return config.gc
    },
    emit: (action, id, attributes) => {
      events.emit("image", action, id, attributes)
      if (BRINGS_BYTES.has(action)) images.watchDisk()
    },
    containers: () => [
      ...store
        .all()
        .flatMap(({ record, state }) =>
          imagesOf(record).map((imageId) => ({ id: record.id, imageId, running: isRunning(state) })),
        ),
      ...store.unreadable().map(({ id, image_id }) => ({ id, imageId: image_id as Digest, running: true })),
    ],
  })
  const parts: ContainerParts = {
    config,
    store,
    live: new LiveContainers(),
    locks: new KeyedLock(),
    background: new Background(),
    events,
    exits: new ExitTable(database),
    volumes,
    snapshotter,
    uppers,
    copies,
    readers: new Readers(),
    networks,
    supervisor,
    forwarders: new LogForwarders(),
    keptLogs: new KeptLogs(database, join(config.dataRoot, "logs")),
    runtime: (name) => runtimes.get(name),
    refreshConfig: () => live.refresh(),
    runtimes: () => runtimes.list(),
    runtimeNames: () => [...runtimes.list().keys()],
    host,
    get initPath() {
      return findInit(config.initPath ?? "catatonit")
    },
    resolveImage: (reference, platform, choice) => images.resolve(reference, platform, choice),
    imageIds: (reference) => images.imageIds(reference),
    describeManifest: (digest) => images.describeManifest(digest),
    booted: Promise.withResolvers(),
    start: (id, restarts) => startLocked(parts, id, restarts),
    act: (id, action, by) =>
      action === "stop"
        ? stopContainer(parts, id, { by })
        : action === "restart"
          ? restartContainer(parts, id, { by })
          : killContainer(parts, id, "KILL", { by }),
    prepareCommit: (options) => images.prepareCommit(options),
    imageUsed: (id) => images.touch(id),
    probe: (id, command, options) => runProbe(execs, id, command, options),
  }
  const execs = new ContainerExecs(parts)
  await networks.open()
  await reconcile(parts)
  parts.keptLogs.sweepNowAndThen((id) => store.exists(id))
  content.sweep()
  parts.background.add(images.reconcile().then(() => images.watchDisk()))
  const containers = openContainers(parts)
  const contents = images.contents({
    stacks: openStacks({ internalCommand: [...ownCommand(), "internal"] }),
    uppers,
    container: (reference) => store.resolve(reference).record,
    mounts: imageMounts(config),
  })
  contents.reconcileMounts()
  const diskMap = lazily(async () => {
    const { openDiskMap } = await import("./engine/disk/map.ts")
    const served = (): ReturnType<typeof pushed.contents> => pushed.contents()
    return openDiskMap({ root: config.dataRoot, database, content, containers: store, served })
  })
  const fsck = lazily(async () => {
    const { openFsck } = await import("./engine/fsck/fsck.ts")
    return openFsck({ root: config.dataRoot, database, content, snapshotter, registries, containers: store })
  })
  const engine: Engine = {
    containers,
    execs,
    images,
    contents,
    registries: openRegistryAccess(registries),
    manifests: images.manifests,
    networks: openNetworksNoun(networks, store, events),
    names: openNames({ resolver, store }),
    volumes,
    volumeWork: volumeWorkOf(parts),
    events,
    logs: openLogs(parts),
    exits: {
      why: async (reference) => (await import("./engine/why/gather.ts")).explainContainer(parts, reference),
      of: async (reference) => (await import("./engine/why/gather.ts")).exitsOf(parts, reference),
      since: async (milliseconds) => parts.exits.since(milliseconds).map(({ report }) => report),
    },
    platforms: openPlatforms(),
    config: live,
    system: openSystem(parts, images, {
      registries: settings,
      diskUsage: openDiskUsage({ containers, images, volumes }),
      diskMap: async () => (await diskMap())(),
      fsck: async (options, say) => (await fsck())(options, say),
    }),
  }
  const registry = openRegistry({
    internalCommand: [...ownCommand(), "internal"],
    root: config.dataRoot,
    database,
    content,
    registries,
    collect: () => collector.collect(),
  })
  return { engine, registry, parts, close: () => database.close() }
}

// All commands, as data: what the help lists, and where each one is. Loading one evaluates its file and no other.
import type { AnyCommand, CommandEntry } from "./command.ts"

type Load = () => Promise<AnyCommand>

const entry = (summary: string, load: Load, extra: Partial<CommandEntry> = {}): CommandEntry => ({
  summary,
  load,
  ...extra,
})

const load = {
  attach: async () => (await import("./container/attach.ts")).attach,
  completion: async () => (await import("./completion/completion.ts")).completion,
  containerPrune: async () => (await import("./container/prune.ts")).prune,
  commit: async () => (await import("./container/commit.ts")).commit,
  cp: async () => (await import("./container/copy/cp.ts")).cp,
  create: async () => (await import("./container/create.ts")).create,
  diff: async () => (await import("./container/diff.ts")).diff,
  diskUsage: async () => (await import("./system/df.ts")).df,
  daemon: async () => (await import("./system/daemon.ts")).daemon,
  events: async () => (await import("./system/events.ts")).events,
  exec: async () => (await import("./container/exec.ts")).exec,
  export: async () => (await import("./container/export.ts")).exportCommand,
  fsck: async () => (await import("./system/fsck.ts")).fsck,
  gc: async () => (await import("./system/gc.ts")).gc,
  history: async () => (await import("./image/history.ts")).history,
  imageDiff: async () => (await import("./image/diff.ts")).imageDiff,
  imageFiles: async () => (await import("./image/files.ts")).files,
  imageInspect: async () => (await import("./image/inspect.ts")).imageInspect,
  imagePrune: async () => (await import("./image/prune.ts")).prune,
  imageSquash: async () => (await import("./image/squash.ts")).squash,
  imageTree: async () => (await import("./image/tree.ts")).tree,
  images: async () => (await import("./image/list.ts")).images,
  import: async () => (await import("./image/import.ts")).importCommand,
  info: async () => (await import("./system/info.ts")).info,
  install: async () => (await import("./install/command.ts")).installCommand,
  inspect: async () => (await import("./container/inspect.ts")).inspect,
  containerInspect: async () => (await import("./container/inspect.ts")).containerInspect,
  kill: async () => (await import("./container/kill.ts")).kill,
  load: async () => (await import("./image/load.ts")).load,
  login: async () => (await import("./registry/login.ts")).login,
  logout: async () => (await import("./registry/logout.ts")).logout,
  logs: async () => (await import("./container/logs.ts")).logs,
  manifestAnnotate: async () => (await import("./manifest/annotate.ts")).annotate,
  manifestCreate: async () => (await import("./manifest/create.ts")).create,
  manifestInspect: async () => (await import("./manifest/inspect.ts")).inspect,
  manifestPush: async () => (await import("./manifest/push.ts")).push,
  manifestRemove: async () => (await import("./manifest/rm.ts")).rm,
  networkInspect: async () => (await import("./network/inspect.ts")).inspect,
  networkList: async () => (await import("./network/list.ts")).list,
  pause: async () => (await import("./container/pause.ts")).pause,
  platformInstall: async () => (await import("./platform/change.ts")).install,
  platformList: async () => (await import("./platform/list.ts")).list,
  platformRemove: async () => (await import("./platform/change.ts")).remove,
  port: async () => (await import("./container/port.ts")).port,
  ps: async () => (await import("./container/ps.ts")).ps,
  pull: async () => (await import("./image/pull.ts")).pull,
  push: async () => (await import("./image/push.ts")).push,
  registryGc: async () => (await import("./registry/gc.ts")).gc,
  registryList: async () => (await import("./registry/list.ts")).list,
  registryRemove: async () => (await import("./registry/remove.ts")).remove,
  registryRetention: async () => (await import("./registry/retention.ts")).retention,
  registryServe: async () => (await import("./registry/serve.ts")).serve,
  registryStatus: async () => (await import("./registry/status.ts")).status,
  registryStop: async () => (await import("./registry/stop.ts")).stop,
  rename: async () => (await import("./container/rename.ts")).rename,
  restart: async () => (await import("./container/stop.ts")).restart,
  rm: async () => (await import("./container/rm.ts")).rm,
  rmi: async () => (await import("./image/remove.ts")).rmi,
  run: async () => (await import("./container/run.ts")).run,
  save: async () => (await import("./image/save.ts")).save,
  search: async () => (await import("./registry/search.ts")).search,
  start: async () => (await import("./container/start.ts")).start,
  stats: async () => (await import("./container/stats.ts")).stats,
  stop: async () => (await import("./container/stop.ts")).stop,
  systemPrune: async () => (await import("./system/prune.ts")).prune,
  tag: async () => (await import("./image/tag.ts")).tag,
  top: async () => (await import("./container/top.ts")).top,
  unpause: async () => (await import("./container/pause.ts")).unpause,
  update: async () => (await import("./container/update.ts")).update,
  version: async () => (await import("./system/version.ts")).version,
  volumeCreate: async () => (await import("./volume/create.ts")).create,
  volumeInspect: async () => (await import("./volume/inspect.ts")).inspect,
  volumeList: async () => (await import("./volume/list.ts")).list,
  volumePrune: async () => (await import("./volume/prune.ts")).prune,
  volumeRemove: async () => (await import("./volume/remove.ts")).remove,
  wait: async () => (await import("./container/wait.ts")).wait,
} as const satisfies Record<string, Load>

const ofContainers = {
  attach: entry("Attach input and output to a running container", load.attach),
  commit: entry("Make an image of a container and its changes", load.commit),
  cp: entry("Copy files between a container and this host", load.cp),
  create: entry("Create a new container", load.create),
  diff: entry("Show what a container changed of its image's files", load.diff),
  exec: entry("Execute a command in a running container", load.exec),
  export: entry("Write a container's file system to a tar archive", load.export),
  inspect: entry("Show details of one or more containers", load.containerInspect),
  kill: entry("Kill one or more running containers", load.kill),
  logs: entry("Fetch the logs of a container", load.logs),
  pause: entry("Pause all processes of one or more containers", load.pause),
  port: entry("List the port mappings of a container", load.port),
  rename: entry("Rename a container", load.rename),
  restart: entry("Restart one or more containers", load.restart),
  rm: entry("Remove one or more containers", load.rm),
  run: entry("Create and run a new container from an image", load.run),
  start: entry("Start one or more stopped containers", load.start),
  stats: entry("Show what containers use, as it changes", load.stats),
  stop: entry("Stop one or more running containers", load.stop),
  top: entry("Show the processes of a container", load.top),
  unpause: entry("Resume all processes of one or more containers", load.unpause),
  update: entry("Change the limits of one or more containers", load.update),
  wait: entry("Wait for containers to stop, and print their exit codes", load.wait),
} as const

const ofImages = {
  history: entry("Show the history of an image", load.history),
  import: entry("Make an image from a tarball of a file system", load.import),
  load: entry("Load images from an archive or standard input", load.load),
  pull: entry("Download an image, or build one of distro.local", load.pull),
  push: entry("Upload an image to a registry", load.push),
  save: entry("Save images to an archive or standard output", load.save),
  tag: entry("Give an image a further name", load.tag),
} as const

const hidden = { hidden: true } as const
const common = { group: "common" } as const
const management = { group: "management" } as const

const container: Record<string, CommandEntry> = {
  ...ofContainers,
  ls: entry("List containers", load.ps),
  list: entry("List containers", load.ps, hidden),
  ps: entry("List containers", load.ps, hidden),
  remove: entry("Remove one or more containers", load.rm, hidden),
  prune: entry("Remove all stopped containers", load.containerPrune),
}

const image: Record<string, CommandEntry> = {
  ...ofImages,
  ls: entry("List images", load.images),
  list: entry("List images", load.images, hidden),
  diff: entry("Show how the files of two images, or of an image and a container, differ", load.imageDiff),
  files: entry("Show what each layer of an image added, changed and removed", load.imageFiles),
  inspect: entry("Show details of one or more images", load.imageInspect),
  rm: entry("Remove one or more images", load.rmi),
  remove: entry("Remove one or more images", load.rmi, hidden),
  prune: entry("Remove unused images", load.imagePrune),
  squash: entry("Make one layer of several, as a new image", load.imageSquash),
  tree: entry("Show which layers images share, as a tree", load.imageTree),
}

const volume: Record<string, CommandEntry> = {
  create: entry("Create a volume", load.volumeCreate),
  inspect: entry("Show details of one or more volumes", load.volumeInspect),
  ls: entry("List volumes", load.volumeList),
  list: entry("List volumes", load.volumeList, hidden),
  rm: entry("Remove one or more volumes", load.volumeRemove),
  remove: entry("Remove one or more volumes", load.volumeRemove, hidden),
  prune: entry("Remove unused volumes", load.volumePrune),
}

const network: Record<string, CommandEntry> = {
  inspect: entry("Show details of one or more networks", load.networkInspect),
  ls: entry("List networks", load.networkList),
  list: entry("List networks", load.networkList, hidden),
}

const registry: Record<string, CommandEntry> = {
  gc: entry("Remove what nothing in the registry needs", load.registryGc),
  ls: entry("List what was pushed to the registry", load.registryList),
  list: entry("List what was pushed to the registry", load.registryList, hidden),
  retention: entry("Show or set how long tags are kept", load.registryRetention),
  rm: entry("Remove repositories, tags or manifests from the registry", load.registryRemove),
  remove: entry("Remove repositories, tags or manifests from the registry", load.registryRemove, hidden),
  serve: entry("Serve a registry", load.registryServe),
  status: entry("Show where the registry is served", load.registryStatus),
  stop: entry("Stop serving the registry", load.registryStop),
}

const platform: Record<string, CommandEntry> = {
  install: entry("Let containers of other platforms run", load.platformInstall),
  ls: entry("List the platforms that this host runs", load.platformList),
  list: entry("List the platforms that this host runs", load.platformList, hidden),
  rm: entry("Take the registration of emulators back", load.platformRemove),
  remove: entry("Take the registration of emulators back", load.platformRemove, hidden),
}

const manifest: Record<string, CommandEntry> = {
  annotate: entry("Change what a list says of the platform of one of its images", load.manifestAnnotate),
  create: entry("Make a list of images for several platforms", load.manifestCreate),
  inspect: entry("Show an image's manifest, or a list of them", load.manifestInspect),
  push: entry("Upload a list and its images to a registry", load.manifestPush),
  rm: entry("Forget one or more lists that were made here", load.manifestRemove),
}

const system: Record<string, CommandEntry> = {
  df: entry("Show what takes up the disk", load.diskUsage),
  events: entry("Show what happens, as it happens", load.events),
  info: entry("Show the daemon's configuration and host", load.info),
  fsck: entry("Verify everything that is stored", load.fsck),
  gc: entry("Collect garbage, and images where the disk is too full", load.gc),
  prune: entry("Remove unused data", load.systemPrune),
}

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: { ...ofContainers.run, ...common },
  exec: { ...ofContainers.exec, ...common },
  ps: entry("List containers", load.ps, common),
  logs: { ...ofContainers.logs, ...common },
  pull: { ...ofImages.pull, ...common },
  push: { ...ofImages.push, ...common },
  images: entry("List images", load.images, common),
  login: entry("Log in to a registry", load.login, common),
  logout: entry("Log out from a registry", load.logout, common),
  search: entry("Search a registry for images", load.search, common),
  version: entry("Show the versions of client and daemon", load.version, common),
  info: entry("Show the daemon's configuration and host", load.info, common),
  container: { summary: "Manage containers", subcommands: container, ...management },
  image: { summary: "Manage images", subcommands: image, ...management },
  manifest: { summary: "Manage manifests and lists of them", subcommands: manifest, ...management },
  network: { summary: "Manage networks", subcommands: network, ...management },
  registry: { summary: "Serve a registry from this machine", subcommands: registry, ...management },
  platform: { summary: "Manage the emulation of other platforms", subcommands: platform, ...management },
  system: { summary: "Manage the engine", subcommands: system, ...management },
  volume: { summary: "Manage volumes", subcommands: volume, ...management },
  ...Object.fromEntries(
    Object.entries(ofContainers).filter(([name]) => name !== "run" && name !== "exec" && name !== "logs"),
  ),
  inspect: entry("Show details of containers and images", load.inspect),
  history: ofImages.history,
  import: ofImages.import,
  load: ofImages.load,
  rmi: entry("Remove one or more images", load.rmi),
  save: ofImages.save,
  tag: ofImages.tag,
  events: system["events"]!,
  fsck: system["fsck"]!,
  completion: entry("Print a completion script for a shell", load.completion),
  install: entry("Install dhow with systemd units and shell completions", load.install),
  daemon: entry("Run the daemon (started by itself when needed)", load.daemon),
}

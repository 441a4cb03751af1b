// Schema of the body of POST /containers/{id}/update: Docker's fields and dhow's. Unlike elsewhere a field that nobody
// knows is refused, since a change that is silently not made is a change that the sender believes in.
import * as v from "valibot"
import { containerConfigEntries } from "./container-config.ts"
import { field, fields, flag, textMap, texts } from "./go-json.ts"
import { hostConfigEntries, mounts, portMap, resources, restartPolicy } from "./host-config.ts"

const { Hostname, Domainname, User, Tty, OpenStdin, StdinOnce, Cmd, Entrypoint, WorkingDir } = containerConfigEntries
const { StopSignal, StopTimeout, Image, Healthcheck } = containerConfigEntries
const { LogConfig, NetworkMode, AutoRemove, Annotations, CapAdd, CapDrop, CgroupnsMode } = hostConfigEntries
const { Dns, DnsOptions, DnsSearch, ExtraHosts, GroupAdd, IpcMode, OomScoreAdj, PidMode } = hostConfigEntries
const { Privileged, PublishAllPorts, ReadonlyRootfs, SecurityOpt, UTSMode, ShmSize, Sysctls } = hostConfigEntries
const { Runtime, Init, HealthAction, Timeout, Requires, NetRate } = hostConfigEntries

const entries = {
  ...resources,
  RestartPolicy: field(restartPolicy),
  ...{ Hostname, Domainname, User, Tty, OpenStdin, StdinOnce, Cmd, Entrypoint, WorkingDir },
  ...{ StopSignal, StopTimeout, Image, Healthcheck },
  ...{ LogConfig, NetworkMode, AutoRemove, Annotations, CapAdd, CapDrop, CgroupnsMode },
  ...{ Dns, DnsOptions, DnsSearch, ExtraHosts, GroupAdd, IpcMode, OomScoreAdj, PidMode },
  ...{ Privileged, PublishAllPorts, ReadonlyRootfs, SecurityOpt, UTSMode, ShmSize, Sysctls },
  ...{ Runtime, Init, HealthAction, Timeout, Requires, NetRate },
  PublishAdd: field(portMap),
  PublishRm: field(portMap),
  MountAdd: field(mounts),
  MountRm: field(texts),
  EnvAdd: field(texts),
  EnvRm: field(texts),
  LabelAdd: field(textMap),
  LabelRm: field(texts),
  Reset: field(texts),
  RestartNow: field(flag),
  Force: field(flag),
  DryRun: field(flag),
} satisfies v.ObjectEntries

const schema = fields(entries, "container.UpdateConfig", { Resources: resources })
/** What clients of the oldest versions send, and Docker makes nothing of. */
const IGNORED = ["DiskQuota"]
const KNOWN = new Set([...Object.keys(entries), ...IGNORED].map((name) => name.toLowerCase()))

export const updateRequest = v.pipe(
  v.unknown(),
  v.rawCheck(({ dataset: { value }, addIssue }) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return
    const unknown = Object.keys(value).find((name) => !KNOWN.has(name.toLowerCase()))
    if (unknown !== undefined) addIssue({ message: `invalid JSON: json: unknown field ${JSON.stringify(unknown)}` })
  }),
  schema,
)

// dhow daemon, for the help and the completions: main.ts hands the command itself to src/daemon.ts, which reads its flags.
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, list, string } from "../flags/flags.ts"

export const daemon = defineCommand({
  usage: "[OPTIONS]",
  summary: "Run the daemon (other commands start it by themselves when needed)",
  flags: {
    "add-runtime": list("", "A further OCI runtime", { value: "name=path" }),
    bip: string("", "Address and subnet of the default bridge", { value: "address/bits" }),
    bridge: string("b", "Interface of the default bridge (default dhow0, or the next that is free)"),
    "cdi-spec-dir": list("", "Where specifications of CDI devices are"),
    "cgroup-parent": string("", "Parent of the containers' cgroups", { default: "/dhow" }),
    "config-file": string("", "Configuration file", { default: "/etc/dhow/daemon.json" }),
    "data-root": string("", "Where images and containers are kept", { default: "/var/lib/dhow" }),
    debug: boolean("D", "Log everything"),
    "default-runtime": string("", "OCI runtime of containers that name none", { default: "crun" }),
    dns: list("", "DNS servers of containers"),
    "dns-opt": list("", "DNS options of containers"),
    "dns-search": list("", "DNS search domains of containers"),
    "exec-root": string("", "Where sockets and what runs are kept", { default: "/run/dhow" }),
    host: list("H", "Socket to serve on (unix://PATH)"),
    init: boolean("", "Give every container an init unless it says otherwise"),
    "insecure-registry": list("", "Registry that needs no certificate, by host or block of addresses"),
    "limit-rate": string("", "Bytes per second of a pull or push that asks for nothing else", { value: "size" }),
    "log-level": string("l", "debug, info, warn or error", { default: "info" }),
    "log-driver": string("", "Driver of the logs of containers that name none"),
    "log-opt": list("", "Options of that driver (max-size=33m, max-file=3)"),
    "network-pool": string("", "Network namespaces to keep ready", { default: "4" }),
    "platform-compat": boolean("", "Requests for a platform also take what it can run (386 for amd64)"),
    "registry-mirror": list("", "Registry that is asked before Docker Hub"),
    "storage-driver": string("s", "How new layers are kept: erofs, directory, or auto for what the host can", {
      default: "auto",
    }),
  } as const,
  args: [0, 0],
  examples: ["dhow daemon", "dhow daemon -H unix:///tmp/d.sock --data-root /tmp/d --exec-root /tmp/d-run"],
  async run() {
    throw new DhowError("internal", "The daemon is started by the program itself")
  },
})

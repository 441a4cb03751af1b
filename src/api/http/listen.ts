// The sockets the server listens on: unix:// paths of our own, or sockets that systemd opened for us.
import { chmodSync, chownSync, lstatSync, readFileSync, unlinkSync } from "node:fs"
import { dirname } from "node:path"
import { DhowError, describeError, errnoName } from "../../lib/errors.ts"
import { ensureDirectory } from "../../lib/files.ts"
import { log } from "../../lib/log.ts"
import { Connection, type ConnectionOptions, type ConnectionSocket } from "./connection.ts"

/** sockaddr_un holds 108 bytes with the closing zero. */
const PATH_LIMIT = 107
/** Members of the first of these groups that exists may use the socket. */
const GROUPS = ["dhow", "docker"]
const FIRST_SYSTEMD_FD = 3

export type Listener = {
  /** As given: "unix:///run/dhow/dhow.sock", or "fd://3". */
  readonly address: string
  close(): void
}

type Handlers = Bun.SocketHandler<Connection | undefined>

function handlers(options: ConnectionOptions, open: Set<Connection>): Handlers {
  return {
    open(socket) {
      // Bun's types leave pause and resume to TLS sockets; every socket has them.
      const connection = new Connection(socket as unknown as ConnectionSocket, options)
      open.add(connection)
      socket.data = connection
    },
    data: (socket, chunk) => socket.data?.data(chunk),
    drain: (socket) => socket.data?.drain(),
    end: (socket) => socket.data?.inputEnd(),
    close(socket) {
      if (socket.data === undefined) return
      open.delete(socket.data)
      socket.data.closed()
    },
    error(socket, error) {
      log.error("connection failed", { error: describeError(error) })
      socket.terminate()
    },
  }
}

export type ListenOptions = ConnectionOptions & {
  /** Members of it may use the socket, in place of the usual groups. */
  readonly group?: string | undefined
}

/** Starts to listen. `host` is "unix://PATH", or "fd://" for all sockets systemd passed. */
export async function listen(host: string, options: ListenOptions): Promise<Listener[]> {
  if (host === "fd://" || host === "systemd://") return systemdSockets().map((fd) => listenOnFd(fd, options))
  if (!host.startsWith("unix://"))
    throw new DhowError("invalid", `Cannot listen on "${host}": only unix:// and fd:// addresses are supported`, {
      hint: "Use for instance unix:///run/dhow/dhow.sock",
    })
  const path = host.slice("unix://".length)
  if (Buffer.byteLength(path) > PATH_LIMIT || path === "")
    throw new DhowError("invalid", `Cannot listen on "${host}": the path must have 1 to ${PATH_LIMIT} bytes`)
  ensureDirectory(dirname(path))
  await removeStale(path)
  return [listenOnPath(path, options)]
}

function listenOnPath(path: string, options: ListenOptions): Listener {
  const open = new Set<Connection>()
  // The file must not be open to others even for the moment before chmod.
  const umask = process.umask(0o177)
  try {
    const server = Bun.listen({
      unix: path,
      allowHalfOpen: true,
      data: undefined as Connection | undefined,
      socket: handlers(options, open),
    })
    giveToGroup(path, options.group)
    chmodSync(path, 0o660)
    return { address: `unix://${path}`, close: () => close(server, open) }
  } catch (error) {
    throw new DhowError("unavailable", `Cannot listen on "${path}"`, { cause: error })
  } finally {
    process.umask(umask)
  }
}

function listenOnFd(fd: number, options: ConnectionOptions): Listener {
  const open = new Set<Connection>()
  const listenOptions = {
    fd,
    allowHalfOpen: true,
    data: undefined as Connection | undefined,
    socket: handlers(options, open),
  }
  // Bun listens on a descriptor that is already listening; its types do not say so.
  const server = Bun.listen(listenOptions as unknown as Bun.UnixSocketOptions<Connection | undefined>)
  return { address: `fd://${fd}`, close: () => close(server, open) }
}

function close(server: Bun.SocketListener<Connection | undefined>, open: ReadonlySet<Connection>): void {
  server.stop()
  for (const connection of open) connection.close()
}

/** sd_listen_fds(3): the descriptors from 3 on, if they are meant for this process. */
function systemdSockets(): number[] {
  const count = Number(process.env["LISTEN_FDS"] ?? 0)
  if (process.env["LISTEN_PID"] !== String(process.pid) || !Number.isInteger(count) || count < 1)
    throw new DhowError("invalid", `Cannot listen on "fd://": systemd passed no sockets`, {
      hint: "Start the daemon through its socket unit, or give -H unix://PATH",
    })
  return Array.from({ length: count }, (_, index) => FIRST_SYSTEMD_FD + index)
}

/** Removes the socket file of a daemon that is no more; one that answers is never taken away. */
async function removeStale(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket())
      throw new DhowError("conflict", `Cannot listen on "${path}": there is a file that is not a socket`)
  } catch (error) {
    if (errnoName(error) === "ENOENT") return
    throw error
  }
  if (await answers(path))
    throw new DhowError("conflict", `Cannot listen on "${path}": another daemon is serving it`, {
      hint: "Stop it, or give another address with -H",
    })
  unlinkSync(path)
}

async function answers(path: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data() {}, connectError() {} } })
    socket.end()
    return true
  } catch {
    return false
  }
}

/** The group by its name or number, else the first of the usual ones that there is. */
export function giveToGroup(path: string, wanted?: string): void {
  const groups = new Map<string, number>()
  for (const line of readFileSync("/etc/group", "utf8").split("\n")) {
    const [name, , gid] = line.split(":")
    if (name !== undefined && gid !== undefined) groups.set(name, Number(gid))
  }
  if (wanted !== undefined && /^\d+$/.test(wanted)) groups.set(wanted, Number(wanted))
  const name = (wanted === undefined ? GROUPS : [wanted]).find((group) => groups.has(group))
  if (name === undefined) {
    if (wanted !== undefined)
      log.warn("the socket stays with its group: there is none of that name", { path, group: wanted })
    return
  }
  try {
    chownSync(path, -1, groups.get(name)!)
  } catch (error) {
    log.warn("cannot give the socket to its group", { path, group: name, error: String(error) })
  }
}

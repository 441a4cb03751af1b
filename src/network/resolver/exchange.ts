// One question to one server. The socket is made for it alone, so that its port is one that nobody guesses, and is
// connected, so that only that server's packets come in. What does not answer the question is as if it had not come.

const LONGEST_MESSAGE = 65_535

export type ExchangeOptions<T> = {
  readonly address: string
  readonly port: number
  readonly message: Buffer
  readonly milliseconds: number
  readonly signal: AbortSignal
  /** Runs what makes the socket where it has to be made. */
  readonly inside: <R>(body: () => R) => R
  /** The packet as an answer, or undefined where it is none to this question. */
  readonly accept: (packet: Buffer) => T | undefined
}

export type Got<T> = { readonly packet: Buffer; readonly value: T }

export async function exchangeUdp<T>(options: ExchangeOptions<T>): Promise<Got<T>> {
  const waiting = begin<T>(options)
  const making = options.inside(() =>
    Bun.udpSocket({
      connect: { hostname: options.address, port: options.port },
      socket: {
        data: (_socket, bytes) => {
          const packet = Buffer.from(bytes)
          const value = options.accept(packet)
          if (value !== undefined) waiting.resolve({ packet, value })
        },
        error: () => waiting.reject(new Error("cannot be reached")),
      },
    }),
  )
  const socket = await making.catch(() => undefined)
  if (socket === undefined) waiting.reject(new Error("cannot be reached"))
  try {
    if (socket?.send(options.message) === false) waiting.reject(new Error("cannot be reached"))
  } catch {
    waiting.reject(new Error("cannot be reached"))
  }
  return await waiting.promise.finally(() => socket?.close())
}

export async function exchangeTcp<T>(options: ExchangeOptions<T>): Promise<Got<T>> {
  const waiting = begin<T>(options)
  const frame = Buffer.concat([Buffer.of(options.message.length >> 8, options.message.length & 0xff), options.message])
  let received = Buffer.alloc(0)
  const making = options.inside(() =>
    Bun.connect({
      hostname: options.address,
      port: options.port,
      socket: {
        // A question is shorter than any socket's buffer.
        open: (socket) => void socket.write(frame),
        data: (_socket, bytes) => {
          received = Buffer.concat([received, bytes])
          if (received.length < 2) return
          const length = received.readUInt16BE(0)
          if (received.length < 2 + length) {
            if (received.length > LONGEST_MESSAGE + 2) waiting.reject(new Error("sends too much"))
            return
          }
          const packet = Buffer.from(received.subarray(2, 2 + length))
          const value = options.accept(packet)
          if (value === undefined) waiting.reject(new Error("answers something else"))
          else waiting.resolve({ packet, value })
        },
        close: () => waiting.reject(new Error("ends the connection")),
        error: () => waiting.reject(new Error("cannot be reached over TCP")),
        connectError: () => waiting.reject(new Error("cannot be reached over TCP")),
      },
    }),
  )
  making.catch(() => waiting.reject(new Error("cannot be reached over TCP")))
  return await waiting.promise.finally(() => void making.then((socket) => socket.terminate()).catch(() => {}))
}

type Waiting<T> = {
  readonly promise: Promise<Got<T>>
  readonly resolve: (got: Got<T>) => void
  readonly reject: (error: Error) => void
}

function begin<T>({ signal, milliseconds }: ExchangeOptions<T>): Waiting<T> {
  const { promise, resolve, reject } = Promise.withResolvers<Got<T>>()
  const stop = (): void => reject(new Error("is not asked any longer"))
  const timer = setTimeout(() => reject(new Error(`did not answer within ${milliseconds / 1000} s`)), milliseconds)
  if (signal.aborted) stop()
  signal.addEventListener("abort", stop, { once: true })
  const settled = promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener("abort", stop)
  })
  return { promise: settled, resolve, reject }
}

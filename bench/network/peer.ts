// One end of what is measured, run in the network namespace of a container or on the host, so that the same program sends
// and receives for every engine. `serve PORT` says "ready"; the others print milliseconds.
import { createSocket } from "node:dgram"
import { connect, createServer } from "node:net"

const CHUNK = Buffer.alloc(256 * 1024)
const [verb = "", ...words] = process.argv.slice(2)

const verbs: Readonly<Record<string, () => Promise<number | undefined>>> = { serve, send, requests, names }
const milliseconds = await verbs[verb]?.()
if (milliseconds !== undefined) {
  console.log(milliseconds)
  process.exit(0)
}

/** A connection that begins with "S" is read to its end, then answered; another one is echoed. */
async function serve(): Promise<undefined> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy())
    socket.once("data", (first) => {
      if (first[0] === 0x53) socket.on("data", () => {}).on("end", () => socket.end("k"))
      else {
        socket.write(first)
        socket.on("data", (chunk) => socket.write(chunk)).on("end", () => socket.end())
      }
    })
  })
  server.listen(Number(words[0]), "0.0.0.0", () => console.log("ready"))
  await new Promise(() => {})
}

/** HOST PORT MEBIBYTES */
async function send(): Promise<number> {
  const [host = "", port, mebibytes] = words
  const socket = connect({ host, port: Number(port) })
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject))
  const begin = performance.now()
  socket.write("S")
  for (let left = Number(mebibytes) * 4; left > 0; left--)
    if (!socket.write(CHUNK)) await new Promise((resolve) => socket.once("drain", resolve))
  socket.end()
  await new Promise((resolve, reject) => socket.once("data", resolve).once("error", reject))
  return performance.now() - begin
}

/** HOST PORT COUNT: one after the other, each with a connection of its own. */
async function requests(): Promise<number> {
  const [host = "", port, count] = words
  const begin = performance.now()
  for (let left = Number(count); left > 0; left--)
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port: Number(port) }, () => socket.write("E".repeat(100)))
      socket.once("data", () => socket.destroy()).once("close", () => resolve())
      socket.once("error", reject)
    })
  return performance.now() - begin
}

/** SERVER NAME COUNT: questions for its IPv4 address, one after the other. */
async function names(): Promise<number> {
  const [server = "", name = "", count] = words
  const socket = createSocket("udp4")
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)])
  const begin = performance.now()
  for (let id = 1; id <= Number(count); id++) {
    const header = [id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    const answered = new Promise<Buffer>((resolve) => socket.once("message", resolve))
    socket.send(Buffer.from([...header, ...labels, 0, 0, 1, 0, 1]), 53, server)
    const answer = await answered
    if ((answer[3] ?? 0) & 15 || answer.readUInt16BE(6) === 0) throw new Error(`"${name}" is not known to ${server}`)
  }
  return performance.now() - begin
}

// Programs for other processors, made here byte by byte: no compiler and no package is needed to have one.

const HEADER = 64
const SEGMENT = 56
const BASE = 0x40_0000n

/** ARM64: `exit` ends with status 42; `wait` waits for ever. */
export function armProgram(what: "exit" | "wait"): Uint8Array {
  // exit(42); and ppoll(NULL, 0, NULL, NULL, 0), then a branch to itself.
  const instructions = {
    exit: [0xd2800540, 0xd2800ba8, 0xd4000001],
    wait: [0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd2800928, 0xd4000001, 0x14000000],
  }[what]
  const code = Buffer.alloc(instructions.length * 4)
  for (const [at, word] of instructions.entries()) code.writeUInt32LE(word, at * 4)
  return program(183, code)
}

/** A program of the ELF machine number, with nothing in it; little-endian. */
export function foreignHead(machine: number, wide = true): Uint8Array {
  const bytes = Buffer.from(program(machine, Buffer.alloc(16)))
  if (!wide) bytes[4] = 1
  return bytes
}

function program(machine: number, code: Buffer): Uint8Array {
  const head = Buffer.alloc(HEADER + SEGMENT)
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  head.writeUInt16LE(2, 16)
  head.writeUInt16LE(machine, 18)
  head.writeUInt32LE(1, 20)
  head.writeBigUInt64LE(BASE + BigInt(head.length), 24)
  head.writeBigUInt64LE(BigInt(HEADER), 32)
  head.writeUInt16LE(HEADER, 52)
  head.writeUInt16LE(SEGMENT, 54)
  head.writeUInt16LE(1, 56)
  // One segment, to be read and run: the whole file.
  const size = BigInt(head.length + code.length)
  head.writeUInt32LE(1, HEADER)
  head.writeUInt32LE(5, HEADER + 4)
  head.writeBigUInt64LE(BASE, HEADER + 16)
  head.writeBigUInt64LE(BASE, HEADER + 24)
  head.writeBigUInt64LE(size, HEADER + 32)
  head.writeBigUInt64LE(size, HEADER + 40)
  head.writeBigUInt64LE(0x1000n, HEADER + 48)
  return Buffer.concat([head, code])
}

// Lines of Docker's json-file, byte for byte: {"log":"text\n","stream":"stdout","attrs":{…},"time":"…"}. Text that is no UTF-8
// becomes U+FFFD byte by byte, and what HTML could take for its own is escaped.
const HEX = Buffer.from("0123456789abcdef")
/** 1 for what is written as it stands. */
const PLAIN = new Uint8Array(256).fill(1, 0x20, 0x80)
for (const letter of '\\"<>&') PLAIN[letter.charCodeAt(0)] = 0

const LOG = Buffer.from('{"log":"')
const STREAMS = [Buffer.alloc(0), Buffer.from('"stream":"stdout"'), Buffer.from('"stream":"stderr"')]
const REPLACEMENT = Buffer.from("\\ufffd")
/** Everything of a line but its text and attributes. */
const FRAME = 128
const BACKSLASH = 0x5c
const COMMA = 0x2c

export class JsonLines {
  #bytes = Buffer.allocUnsafeSlow(256 * 1024)
  #used = 0
  readonly #attributes: Buffer

  /** `attributes` as JSON, or empty. */
  constructor(attributes: string) {
    this.#attributes = Buffer.from(attributes === "" ? "" : `,"attrs":${attributes}`)
  }

  get length(): number {
    return this.#used
  }

  add(stream: 1 | 2, line: Uint8Array, { time, newline }: { readonly time: string; readonly newline: boolean }): void {
    this.#room(line.length * 6 + this.#attributes.length + FRAME)
    if (line.length > 0 || newline) {
      this.#put(LOG)
      this.#text(line)
      if (newline) this.#escape(0x6e)
      this.#bytes[this.#used++] = 0x22
      this.#bytes[this.#used++] = COMMA
    } else this.#bytes[this.#used++] = 0x7b
    this.#put(STREAMS[stream]!)
    this.#put(this.#attributes)
    this.#used += this.#bytes.write(`,"time":"${shortTime(time)}"}\n`, this.#used, "latin1")
  }

  /** What was added since; valid until the next `add`. */
  drain(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#used)
    this.#used = 0
    return bytes
  }

  #text(line: Uint8Array): void {
    const bytes = this.#bytes
    let out = this.#used
    for (let at = 0; at < line.length; ) {
      const byte = line[at]!
      if (PLAIN[byte] === 1) {
        bytes[out++] = byte
        at++
        continue
      }
      this.#used = out
      if (byte >= 0x80) at += this.#beyondAscii(line, at)
      else {
        at++
        if (byte === 0x22 || byte === BACKSLASH) this.#escape(byte)
        else if (byte === 0x0a) this.#escape(0x6e)
        else if (byte === 0x0d) this.#escape(0x72)
        else this.#unicode(byte)
      }
      out = this.#used
    }
    this.#used = out
  }

  /** Returns how many bytes it took. */
  #beyondAscii(line: Uint8Array, at: number): number {
    const length = runeLength(line, at)
    if (length === 1) {
      this.#put(REPLACEMENT)
      return 1
    }
    const isSeparator = line[at] === 0xe2 && line[at + 1] === 0x80 && (line[at + 2]! & 0xfe) === 0xa8
    if (isSeparator)
      this.#used += this.#bytes.write(line[at + 2] === 0xa8 ? "\\u2028" : "\\u2029", this.#used, "latin1")
    else for (let index = 0; index < length; index++) this.#bytes[this.#used++] = line[at + index]!
    return length
  }

  #escape(letter: number): void {
    this.#bytes[this.#used++] = BACKSLASH
    this.#bytes[this.#used++] = letter
  }

  #unicode(byte: number): void {
    this.#used += this.#bytes.write("\\u00", this.#used, "latin1")
    this.#bytes[this.#used++] = HEX[byte >> 4]!
    this.#bytes[this.#used++] = HEX[byte & 15]!
  }

  #put(piece: Buffer): void {
    this.#used += piece.copy(this.#bytes, this.#used)
  }

  #room(more: number): void {
    if (this.#used + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#used + more, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#used)
    this.#bytes = larger
  }
}

/** Bytes of the UTF-8 letter at `at`; 1 where there is none. */
function runeLength(line: Uint8Array, at: number): number {
  const first = line[at]!
  const length = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1
  if (length === 1 || at + length > line.length) return 1
  const second = line[at + 1]!
  // Neither longer than need be, nor a surrogate, nor beyond the last letter.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < low || second > high) return 1
  for (let index = 2; index < length; index++) if ((line[at + index]! & 0xc0) !== 0x80) return 1
  return length
}

/** Without the zeros at a fraction's end, as Go writes it. */
export function shortTime(time: string): string {
  let end = time.length - 1
  while (time.charCodeAt(end - 1) === 0x30) end--
  if (time.charCodeAt(end - 1) === 0x2e) end--
  return `${time.slice(0, end)}Z`
}

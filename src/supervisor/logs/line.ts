// One line of conmon's k8s-file log: "2026-01-31T09:05:00.123456789+00:00 stdout F text\n". F is a full line; P a piece
// without the newline that ends the record, to be joined with what follows on the same stream. Pieces are at most 8 KiB.
// conmon runs with TZ=UTC0, so every header has the same length; a record of another form is passed on as it stands.

export const NEWLINE = 0x0a
const SPACE = 0x20
const LETTER_P = 0x50
const LETTER_F = 0x46
const LETTER_E = 0x65
const PLUS = 0x2b
const LETTER_T = 0x54

/** "2026-01-31T09:05:00.123456789" */
export const TIME_LENGTH = 29
/** Years have four digits in these texts. */
const HALF_MICROSECOND = 0.0005
const LAST_YEAR = Date.UTC(9999, 11, 31)
const ZONE_LENGTH = 6
const STREAM_AT = TIME_LENGTH + ZONE_LENGTH + 1
const TAG_AT = STREAM_AT + 7
export const HEADER_LENGTH = TAG_AT + 2

/** 0: no header at all. Otherwise stream (1 or 2), plus PARTIAL for a piece. */
export const PARTIAL = 4

/** Reads the header of the usual form at `at`. The stream's fourth letter tells stdout from stderr. */
export function readHeader(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < HEADER_LENGTH) return 0
  if (bytes[at + 10] !== LETTER_T || bytes[at + TIME_LENGTH] !== PLUS || bytes[at + STREAM_AT - 1] !== SPACE) return 0
  if (bytes[at + TAG_AT - 1] !== SPACE || bytes[at + TAG_AT + 1] !== SPACE) return 0
  const stream = bytes[at + STREAM_AT + 3] === LETTER_E ? 2 : 1
  const tag = bytes[at + TAG_AT]
  if (tag === LETTER_F) return stream
  return tag === LETTER_P ? stream | PARTIAL : 0
}

/**
 * Milliseconds since 1970 as the text that log lines compare with byte by byte. A number of today's size is right to
 * a quarter of a microsecond, not to the nanosecond: so a bound is widened by a half, and is then the first or the last
 * nanosecond of its microsecond. A time that was read off a line includes that line.
 */
export function timeText(milliseconds: number, nanoseconds: "000" | "999"): string {
  const wide = milliseconds + (nanoseconds === "000" ? -HALF_MICROSECOND : HALF_MICROSECOND)
  const whole = Math.floor(Math.min(Math.max(wide, 0), LAST_YEAR))
  const microseconds = Math.min(999, Math.max(0, Math.floor((wide - whole) * 1000)))
  return `${new Date(whole).toISOString().slice(0, 23)}${String(microseconds).padStart(3, "0")}${nanoseconds}`
}

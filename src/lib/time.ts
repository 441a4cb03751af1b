// Times as Docker writes them: RFC 3339 with nine digits of fraction, UTC.

/** Now, to the microsecond that the clock offers. */
export function now(): string {
  return timestamp(performance.timeOrigin + performance.now())
}

/** `milliseconds` since 1970, fractions kept to the nanosecond that a double can carry. */
export function timestamp(milliseconds: number): string {
  const whole = Math.floor(milliseconds)
  const nanoseconds = Math.floor((milliseconds - whole) * 1e6)
  const text = new Date(whole).toISOString()
  return `${text.slice(0, -1)}${String(nanoseconds).padStart(6, "0")}Z`
}

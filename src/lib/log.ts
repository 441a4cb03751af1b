// The daemon's log: one line per event on standard error, level first, then fields as JSON.
// The CLI never logs; it prints results and errors.

export type LogLevel = "debug" | "info" | "warn" | "error"
export type LogFields = Readonly<Record<string, unknown>>

const ORDER = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<LogLevel, number>
let threshold: number = ORDER.info

export function setLogLevel(level: LogLevel): void {
  threshold = ORDER[level]
}

function write(level: LogLevel, message: string, fields?: LogFields): void {
  if (ORDER[level] < threshold) return
  const line = { time: new Date().toISOString(), level, message, ...fields }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}

export const log = {
  debug: (message: string, fields?: LogFields): void => write("debug", message, fields),
  info: (message: string, fields?: LogFields): void => write("info", message, fields),
  warn: (message: string, fields?: LogFields): void => write("warn", message, fields),
  error: (message: string, fields?: LogFields): void => write("error", message, fields),
}

// The words of the syslog driver's options: facilities and message formats.
import { invalid } from "./values.ts"

const FACILITIES = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"],
  // Numbers without a name.
  ...["", "", "", ""],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
]
const DAEMON = 3

/** Its number; a message's priority is eight times that, plus the severity. */
export function parseSyslogFacility(text: string): number {
  if (text === "") return DAEMON
  const byName = FACILITIES.indexOf(text)
  if (byName >= 0) return byName
  if (/^\+?\d{1,9}$/.test(text) && Number(text) <= 23) return Number(text)
  throw invalid("invalid syslog facility")
}

export type SyslogFormat = "" | "rfc3164" | "rfc5424" | "rfc5424micro"

export function parseSyslogFormat(text: string): SyslogFormat {
  if (text === "" || text === "rfc3164" || text === "rfc5424" || text === "rfc5424micro") return text
  throw invalid("Invalid syslog format")
}

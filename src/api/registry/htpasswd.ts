// A file of users and bcrypt hashes, as htpasswd -B writes it; read again when it has changed. Verifying costs tens of
// milliseconds by design, so that what was right is remembered for a while, and only a few are verified at once.
import { createHmac, randomBytes } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { RegistryError } from "../../engine/registry/errors.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"

const REMEMBERED_MILLISECONDS = 5 * 60 * 1000
const MOST_REMEMBERED = 1000
const MOST_AT_ONCE = 4
const MOST_WAITING = 64
/** bcrypt takes no more than this of a password. */
const PASSWORD_LIMIT = 72
const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/
/** Compared with for unknown users, so that the time tells nothing: of no password. */
const NOBODY = "$2b$10$jqH2cF68Ppb3/zlgpIUKzOH/dUElrd7W.EZhpx7XIodJ4aJ.0BdX."

export class Passwords {
  readonly #path: string
  readonly #key = randomBytes(32)
  readonly #remembered = new Map<string, number>()
  #users = new Map<string, string>()
  #seen = ""
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(path: string) {
    this.#path = path
    this.#read()
  }

  /** Whether the password is the user's. */
  async verify(user: string, password: string): Promise<boolean> {
    this.#refresh()
    const hash = this.#users.get(user)
    const key = createHmac("sha256", this.#key).update(`${user}\0${hash}\0${password}`).digest("base64")
    if ((this.#remembered.get(key) ?? 0) > Date.now()) return true
    if (Buffer.byteLength(password) > PASSWORD_LIMIT) return false
    const isRight = await this.#compare(password, hash ?? NOBODY)
    if (!isRight || hash === undefined) return false
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(key, Date.now() + REMEMBERED_MILLISECONDS)
    return true
  }

  async #compare(password: string, hash: string): Promise<boolean> {
    if (this.#running >= MOST_AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING)
        throw new RegistryError("TOOMANYREQUESTS", "Too many passwords wait to be verified", {
          headers: { "Retry-After": "5" },
        })
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running++
    try {
      return await Bun.password.verify(password, hash)
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  /** A file that cannot be read any more leaves the users as they were: nobody gets in by that. */
  #refresh(): void {
    try {
      if (this.#change() !== this.#seen) this.#read()
    } catch (error) {
      log.error("The passwords of the registry stay as they were", { error: describeError(error) })
    }
  }

  #change(): string {
    const status = statSync(this.#path, { bigint: true, throwIfNoEntry: false })
    return status === undefined ? "" : `${status.ino} ${status.size} ${status.mtimeNs}`
  }

  #read(): void {
    const users = new Map<string, string>()
    let text: string
    try {
      this.#seen = this.#change()
      text = readFileSync(this.#path, "utf8")
    } catch (cause) {
      throw new DhowError("invalid", `Password file "${this.#path}" cannot be read`, { cause })
    }
    for (const [at, line] of text.split("\n").entries()) {
      const entry = line.trim()
      if (entry === "" || entry.startsWith("#")) continue
      const colon = entry.indexOf(":")
      const hash = entry.slice(colon + 1)
      if (colon < 1 || !BCRYPT.test(hash))
        throw new DhowError("invalid", `Password file "${this.#path}": line ${at + 1} is no user with a bcrypt hash`, {
          hint: "Make it with: htpasswd -B",
        })
      users.set(entry.slice(0, colon), hash)
    }
    this.#users = users
  }
}

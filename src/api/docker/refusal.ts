// Routes that always refuse: what is wrong with the request is said first, then why nothing is done.
import type { DhowError } from "../../lib/errors.ts"
import type { Call, Method, Route } from "./call.ts"

/** Throws where the request itself is wrong. */
export type Check = (call: Call) => unknown

export function refusal(method: Method, pattern: string, reason: (call: Call) => DhowError, check?: Check): Route {
  return [
    method,
    pattern,
    async (call) => {
      await check?.(call)
      throw reason(call)
    },
  ]
}

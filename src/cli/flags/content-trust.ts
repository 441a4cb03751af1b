// --disable-content-trust: Docker's notary signatures are not verified here, so switching that off is all there is to do,
// and asking for it must not pass in silence.
import { DhowError } from "../../lib/errors.ts"
import { boolean } from "./flags.ts"

export const contentTrust = boolean("", "Do not verify signatures of Docker's content trust; dhow never does", {
  default: "true",
  check(value) {
    if (/^(0|f|F|FALSE|false|False)$/.test(value)) throw new Error("content trust is not supported")
    return value
  },
})

/** `disabled` is what the flag says: it goes before the environment. */
export function refuseContentTrust(disabled: boolean | undefined, environment = process.env): void {
  const asked = environment["DOCKER_CONTENT_TRUST"] ?? ""
  if (disabled === true || /^(|0|f|F|FALSE|false|False)$/.test(asked)) return
  throw new DhowError("invalid", "DOCKER_CONTENT_TRUST is set, and content trust is not supported", {
    hint: "Give --disable-content-trust to go on without, and name images by digest to be sure of them",
  })
}

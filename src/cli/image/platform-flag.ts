// --platform of commands about one image, as dhow's own endpoints take it.
import { formatPlatform, parsePlatform } from "../../oci/platform.ts"
import { string } from "../flags/flags.ts"

export const platformFlag = string("", "Platform to look at, where the image has several", {
  check: (text) => formatPlatform(parsePlatform(text)),
})

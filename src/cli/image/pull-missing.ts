// Pulling on behalf of another command: progress on standard error, or nothing at all.
import type { Client } from "../../client/client.ts"
import { pullImage } from "../../client/images.ts"
import { showProgress } from "../render/progress.ts"

export async function pullQuietlyOrShown(
  client: Client,
  name: string,
  options: { readonly quiet: boolean; readonly platform: string | undefined; readonly compatible: boolean },
): Promise<void> {
  // `run` evaluates this only when something is to be pulled.
  const { authForImage } = await import("../credentials/credentials.ts")
  const lines = await pullImage(client, name, {
    platform: options.platform,
    compatible: options.compatible,
    auth: authForImage(name),
  })
  await showProgress(lines, { fd: 2, quiet: options.quiet })
}

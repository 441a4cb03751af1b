// Creating a container as `create` and `run` do: pull what is missing or asked for, write the id file, show warnings.
import { rmSync, statSync, writeFileSync } from "node:fs"
import type { Client } from "../../client/client.ts"
import { createContainer } from "../../client/containers.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { isTerminal, windowSize } from "../../lib/syscalls/terminal.ts"
import { familiarReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import type { ContainerCreateRequest } from "../../wire/container.ts"
import { checkPull } from "../create/checks.ts"
import type { createOnlyFlags } from "../create/flags.ts"
import { refuseContentTrust } from "../flags/content-trust.ts"
import type { FlagValues } from "../flags/flags.ts"
import { defaultPlatform, parseImageName } from "../image/image-name.ts"
import { pullQuietlyOrShown } from "../image/pull-missing.ts"
import { printError } from "../output.ts"

export async function createWithImage(
  client: Client,
  request: ContainerCreateRequest,
  flags: FlagValues<typeof createOnlyFlags>,
): Promise<string> {
  const { name: image, platform = defaultPlatform() } = parseImageName(request.Image ?? "", flags.platform)
  request.Image = image
  const compatible = flags["platform-compat"] === true
  const pull = checkPull(flags.pull)
  refuseContentTrust(flags["disable-content-trust"])
  const isId = /^[0-9a-f]{64}$/.test(image)
  if (!isId) parseReference(image)
  const idFile = openIdFile(request.HostConfig?.ContainerIDFile)
  if (request.Tty === true && isTerminal(1)) {
    const size = windowSize(1)
    if (size !== undefined && request.HostConfig !== undefined)
      request.HostConfig.ConsoleSize = [size.height, size.width]
  }
  const options = {
    name: flags.name,
    platform,
    compatible,
    systemd: flags.systemd,
    ...(request.HostConfig?.Init === undefined ? { init: "auto" as const } : {}),
  }
  const fetchImage = (): Promise<void> =>
    pullQuietlyOrShown(client, image, { quiet: flags.quiet === true, platform, compatible })
  try {
    if (pull === "always") await fetchImage()
    const created = await createContainer(client, request, options).catch(async (error: unknown) => {
      if (pull !== "missing" || isId || !isMissingImage(error)) throw error
      if (flags.quiet !== true)
        printError(`Unable to find image '${familiarReference(withDefaultTag(parseReference(image)))}' locally`)
      await fetchImage()
      return createContainer(client, request, options)
    })
    for (const warning of created.Warnings ?? []) printError(`WARNING: ${warning}`)
    idFile?.write(created.Id)
    return created.Id
  } catch (error) {
    idFile?.remove()
    throw error
  }
}

function isMissingImage(error: unknown): boolean {
  return isKind(error, "not-found") && /no such image|not match the specified platform/i.test(error.message)
}

/** Reserved before the container exists, so that two containers never share one. */
function openIdFile(path: string | undefined): { write(id: string): void; remove(): void } | undefined {
  if (path === undefined) return undefined
  if (statSync(path, { throwIfNoEntry: false }) !== undefined)
    throw new DhowError(
      "conflict",
      `container ID file found, make sure the other container isn't running or delete ${path}`,
    )
  try {
    writeFileSync(path, "", { flag: "wx" })
  } catch (cause) {
    throw new DhowError("invalid", `failed to create the container ID file "${path}"`, { cause })
  }
  return { write: (id) => writeFileSync(path, id), remove: () => rmSync(path, { force: true }) }
}

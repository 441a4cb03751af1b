// Builds an image of distro.local and makes it exist. The tar goes straight into the content store.
import { mkdtempSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../../../lib/crashpoint.ts"
import { DhowError } from "../../../lib/errors.ts"
import { removeTree } from "../../../lib/files.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { ImageConfig } from "../../../oci/image-config.ts"
import { commitImages, storeManifest } from "../assemble.ts"
import { composeTag } from "../compose-tag.ts"
import type { ImagesContext } from "../context.ts"
import { layerLimit } from "../limits.ts"
import type { DistroBuilds } from "./builds.ts"
import { busyboxRoot } from "./busybox.ts"
import { debianRoot, planDebian } from "./debian.ts"
import type { Recipe, RecipeOptions, RootFileSystem } from "./distribution.ts"
import { BUILD_PREFIX, buildsIn } from "./places.ts"

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** `target`: what the name leads to, with the platforms that it had before. */
export type Built = { readonly id: Digest; readonly target: Digest }

type BuildOptions = Pick<RecipeOptions, "progress" | "signal"> & {
  /** Canonical name that is to hold the image. */
  readonly reference: string
  readonly builds: DistroBuilds
}

export async function buildDistribution(context: ImagesContext, recipe: Recipe, options: BuildOptions): Promise<Built> {
  const directory = mkdtempSync(join(buildsIn(context.root), BUILD_PREFIX))
  try {
    const recipeOptions = { ...options, directory }
    switch (recipe.name) {
      case "busybox":
        return await store(context, await busyboxRoot(recipe, recipeOptions), { ...options, recipe })
      case "debian":
        return await buildDebian(context, recipe, { ...options, directory })
      default:
        throw new DhowError("not-found", `distro.local has no image "${recipe.name}"`, {
          hint: "It has debian and busybox",
        })
    }
  } finally {
    await removeTree(directory)
  }
}

async function buildDebian(
  context: ImagesContext,
  recipe: Recipe,
  options: BuildOptions & { readonly directory: string },
): Promise<Built> {
  const plan = await planDebian(recipe, options)
  const before = options.builds.find(plan.inputs)
  const row = before === undefined ? undefined : context.records.image(before)
  if (row !== undefined) {
    using lease = context.content.lease()
    return { id: row.id, target: await composeTag(context, options.reference, { id: row.id, lease }) }
  }
  const built = await store(context, await debianRoot(plan, options), { ...options, recipe })
  options.builds.remember(plan.inputs, built.id)
  return built
}

async function store(
  context: ImagesContext,
  rootFileSystem: RootFileSystem,
  { recipe, reference, signal, progress }: BuildOptions & { readonly recipe: Recipe },
): Promise<Built> {
  using lease = context.content.lease()
  // The build's own failure is the truth, whatever its broken output made the store say.
  const ingested = await Promise.allSettled([
    context.content.ingest(rootFileSystem.tar, { limit: layerLimit(context.root), signal }),
  ])
  const { packages, created, labels, cmd, createdBy } = await rootFileSystem.finish()
  const [outcome] = ingested
  if (outcome.status === "rejected") throw outcome.reason
  const layer = outcome.value
  lease.hold(layer.digest)
  const { os, architecture, variant } = recipe.platform
  const config: ImageConfig = {
    created: created.toISOString(),
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os,
    config: { Env: [PATH], Cmd: [...cmd], Labels: { ...labels, "local.distro.packages": packages.join("\n") } },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
    history: [{ created: created.toISOString(), created_by: createdBy }],
  }
  const image = await storeManifest(context, Buffer.from(JSON.stringify(config)), { config, lease })
  progress({ id: recipe.tag, status: "Unpacking" })
  await commitImages(context, [image], { tags: [], signal })
  crashpoint("images.distro:before-tag")
  const target = await composeTag(context, reference, { id: image.id, lease })
  progress({ id: recipe.tag, status: "Pull complete" })
  return { id: image.id, target }
}

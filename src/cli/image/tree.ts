// dhow image tree: all images as a forest of layers, and what they share.
import { imageTree } from "../../client/image-contents.ts"
import { DhowError } from "../../lib/errors.ts"
import type { ImageForest, TreeImage, TreeLayer } from "../../wire/image-contents.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print, writeAll } from "../output.ts"
import { ellipsis, humanSize, shortId } from "../render/human.ts"
import { shownName } from "../render/names.ts"

type Show = { readonly truncate: boolean; readonly wanted: (image: TreeImage) => boolean }

export const tree = defineCommand({
  usage: "[OPTIONS] [IMAGE...]",
  summary: "Show which layers images share, as a tree",
  flags: {
    format: string("", "Print as 'json' instead of a tree", { check: checkFormat }),
    "no-trunc": boolean("", "Do not shorten output"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow image tree", "dhow image tree web:1 web:2", "dhow image tree --format json"],
  async run({ client }, flags, names) {
    const forest = await imageTree(client)
    const wanted = (image: TreeImage): boolean => names.length === 0 || names.some((name) => isNamed(image, name))
    for (const name of names)
      if (!imagesIn(forest).some((image) => isNamed(image, name)))
        throw new DhowError("not-found", `No such image: ${name}`)
    const show = { truncate: flags["no-trunc"] !== true, wanted }
    if (flags.format === "json") print(JSON.stringify(only(forest, show)))
    else writeAll(1, render(forest, show))
    return 0
  },
})

function checkFormat(text: string): string {
  if (text === "json") return text
  throw new DhowError("invalid", `"${text}" is no format of a tree: give "json"`)
}

function isNamed({ names, id }: TreeImage, wanted: string): boolean {
  const name = /[:@]/.test(wanted.slice(wanted.lastIndexOf("/") + 1)) ? wanted : `${wanted}:latest`
  const digits = id.slice("sha256:".length)
  return names.includes(name) || id === wanted || (/^[0-9a-f]{4,64}$/.test(wanted) && digits.startsWith(wanted))
}

function imagesIn({ layers, bare }: ImageForest): readonly TreeImage[] {
  return [...bare, ...layers.flatMap(imagesOn)]
}

function imagesOn({ images, children }: TreeLayer): readonly TreeImage[] {
  return [...images, ...children.flatMap(imagesOn)]
}

/** The forest without the branches that no wanted image stands on. */
function only({ layers, bare, size }: ImageForest, show: Show): ImageForest {
  return { layers: layers.flatMap((layer) => pruned(layer, show)), bare: bare.filter(show.wanted), size }
}

function pruned(layer: TreeLayer, show: Show): readonly TreeLayer[] {
  const children = layer.children.flatMap((child) => pruned(child, show))
  const images = layer.images.filter(show.wanted)
  return children.length === 0 && images.length === 0 ? [] : [{ ...layer, images, children }]
}

function render(forest: ImageForest, show: Show): string {
  const { layers, bare } = only(forest, show)
  const lines = layers.flatMap((layer) => [layerText(layer, show), ...inside(layer, show)])
  for (const image of bare) lines.push(imageText(image, show))
  const all = imagesIn(forest)
  const apart = all.reduce((sum, { size }) => sum + size, 0)
  const saved = apart - forest.size
  const count = all.length === 1 ? "1 image" : `${all.length} images`
  const summary = `${count}, ${humanSize(forest.size, 3)} of layers; sharing saves ${humanSize(saved, 3)}`
  return `${[...lines, ...(lines.length > 0 ? [""] : []), summary].join("\n")}\n`
}

function inside({ images, children }: TreeLayer, show: Show): readonly string[] {
  const branches = [
    ...images.map((image) => [imageText(image, show)]),
    ...children.map((child) => [layerText(child, show), ...inside(child, show)]),
  ]
  return branches.flatMap(([first = "", ...rest], at) => {
    const isLast = at === branches.length - 1
    return [`${isLast ? "└── " : "├── "}${first}`, ...rest.map((line) => `${isLast ? "    " : "│   "}${line}`)]
  })
}

function layerText({ diffId, size, createdBy, users }: TreeLayer, { truncate }: Show): string {
  const made = shownName(createdBy.replaceAll("\t", " "))
  const shared = users > 1 ? `  (${users} images)` : ""
  const maker = made === "" ? "" : `  ${truncate ? ellipsis(made, 60) : made}`
  return `${truncate ? shortId(diffId) : diffId}  ${humanSize(size, 3)}${shared}${maker}`
}

function imageText({ id, names, platform, size, unique }: TreeImage, { truncate }: Show): string {
  const name = names.length === 0 ? `<none> ${truncate ? shortId(id) : id}` : names.join(", ")
  return `[${name}]  ${platform}  ${humanSize(size, 3)}, ${humanSize(unique, 3)} its own`
}

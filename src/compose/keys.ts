// What makes two items of a list the same one, so that a later file's replaces the earlier one's.
import { child, type Node, pathText, textOf } from "./node.ts"

function fieldText(node: Node, name: string): string | undefined {
  const found = child(node, name)
  return found?.kind === "scalar" && found.value !== null ? String(found.value) : undefined
}

/** Up to its first "=". */
export function wordKey(node: Node): string {
  return node.kind === "scalar" ? String(node.value).split("=", 1)[0]! : pathText([])
}

export function wholeKey(node: Node): string {
  return node.kind === "scalar" ? String(node.value) : ""
}

export function portKey(node: Node): string {
  const field = (name: string): string | undefined => fieldText(node, name)
  return `${field("host_ip") ?? "0.0.0.0"}:${field("published") ?? ""}:${field("target")}/${field("protocol") ?? "tcp"}`
}

export function targetKey(node: Node): string {
  return fieldText(node, "target") ?? textOf(node) ?? ""
}

export function mountedKey(folder: string): (node: Node) => string {
  return (node) => fieldText(node, "target") ?? `${folder}/${fieldText(node, "source")}`
}

export function pathKey(node: Node): string {
  return fieldText(node, "path") ?? ""
}

// Layers read from their tars, each as a stack, lowest first: what each did, how two stacks differ, several as one. Work of
// processes of their own, whose memory is theirs.
import type { FileDifference, FilesRequest, LayerFile, LayerFiles } from "../wire/image-contents.ts"
import { processLines, processOutput } from "./tree-process.ts"

/** First what each layer did in all, lowest first, then the files. */
export type StackLine = { readonly layer: LayerFiles } | { readonly file: LayerFile }

export type Stacks = ReturnType<typeof openStacks>

/** Stacks are paths of uncompressed tars. */
export function openStacks({ internalCommand }: { readonly internalCommand: readonly string[] }) {
  const command = (verb: string, request: object, tars: readonly string[]): readonly string[] => [
    ...[...internalCommand, verb, JSON.stringify(request)],
    ...tars,
  ]
  return {
    files: (tars: readonly string[], request: FilesRequest, signal?: AbortSignal): AsyncGenerator<StackLine> =>
      processLines<StackLine>(command("stack-files", request, tars), signal),
    difference: (
      before: readonly string[],
      after: readonly string[],
      { times, signal }: { readonly times: boolean; readonly signal?: AbortSignal },
    ): AsyncGenerator<FileDifference> =>
      processLines<FileDifference>(
        command("stack-difference", { count: before.length, times }, [...before, ...after]),
        signal,
      ),
    /** The tar of one layer that does what those from `from` on do, the lowest being 0. */
    squash: (tars: readonly string[], from: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> =>
      processOutput(command("stack-squash", { from }, tars), signal),
  }
}

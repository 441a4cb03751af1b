// What is made at its first use, once: of a program that is loaded in pieces, the pieces that most runs never need.
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

// How files are read: given from outside, so that loading knows no disk.

export type Files = {
  /** undefined: there is no such file. */
  read(path: string): string | undefined
}

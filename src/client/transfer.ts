// The headers by which pulls and pushes ask for what Docker's API has no words for.

export type TransferOptions = {
  readonly allPlatforms?: boolean
  /** Bytes per second. */
  readonly limitRate?: number | undefined
}

export type UploadOptions = {
  /** "gzip", "zstd" or "none", with ":level" where one is wanted. */
  readonly compression?: string | undefined
  readonly sameDigest?: boolean
}

export function transferHeaders(options: TransferOptions & UploadOptions): Readonly<Record<string, string>> {
  const { allPlatforms, compression, limitRate, sameDigest } = options
  return {
    ...(allPlatforms === true ? { "X-Dhow-All-Platforms": "1" } : {}),
    ...(limitRate === undefined ? {} : { "X-Dhow-Limit-Rate": String(limitRate) }),
    ...(compression === undefined ? {} : { "X-Dhow-Compression": compression }),
    ...(sameDigest === true ? { "X-Dhow-Same-Digest": "1" } : {}),
  }
}

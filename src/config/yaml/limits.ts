/** Bounds of a config folder: far above any real one, low enough that a hostile one cannot stop the gateway. */
export const configLimits = {
  files: 20_000,
  /** Of any kind: a folder may hold other things than config. */
  entries: 100_000,
  bytesPerFile: 256 * 1024,
  bytes: 64 * 1024 * 1024,
  folderDepth: 32,
  /** Levels of nesting in one document. */
  yamlDepth: 64,
  /** Tokens in one document, about 7,000 lines: composing more of them could take longer than a second. */
  yamlTokens: 50_000,
} as const;

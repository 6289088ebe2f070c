/** What one tick of the wiki's upkeep takes at most, with the unit at the end of each name. */
export const llmwikiLimits = Object.freeze({
  /** Files of the vault, documents or not. */
  filesAtMost: 20_000,
  folderEntries: 100_000,
  folderDepth: 32,
  /** Documents that one tick takes in: the others wait for the next one. */
  ingestedAtMost: 1_000,
  sentinelBytes: 33_554_432,
  /** Links of one document. */
  linksAtMost: 2_000,
  /** Findings told one by one; their number always is. */
  findingsAtMost: 1_000,
  intervalHoursDefault: 24,
  /** A hundred years. */
  intervalHoursAtMost: 876_600,
});

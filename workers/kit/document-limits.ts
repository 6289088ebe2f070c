/** What is read of documents and folders at most, with the unit at the end of each name. */
export const documentLimits = Object.freeze({
  /** A larger source is left out, and told. */
  sourceBytes: 4_194_304,
  /** Files of one job, folders walked through. */
  sourcesAtMost: 2_000,
  /** Of a folder that is walked: how deep. */
  folderDepth: 32,
  /** Entries of all folders of one job, taken or not. */
  folderEntries: 100_000,
  /** Of a longer line the rest is not read. */
  lineCharacters: 4_096,
  titleCharacters: 160,
  /** Of the text that stands under a heading. */
  excerptCharacters: 600,
  sectionsAtMost: 60,
  keywordsAtMost: 12,
  linksAtMost: 100,
  /** Of a page; a longer one is no front matter. */
  frontMatterCharacters: 65_536,
});

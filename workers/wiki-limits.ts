/** What the wiki workers take and make at most, with the unit at the end of each name. */
export const wikiLimits = Object.freeze({
  /** A larger source is left out, and told. */
  sourceBytes: 4_194_304,
  /** Files of one job, folders walked through. */
  sourcesAtMost: 2_000,
  /** Of a folder that is walked: how deep. */
  folderDepth: 32,
  /** Entries of all folders of one job, taken or not. */
  folderEntries: 100_000,
  /** Sources that an agent is asked about in one job: the others are left out, and told. */
  agentSourcesAtMost: 60,
  /** Of a source, for an agent; the rest is cut off, and told. */
  agentSourceCharacters: 200_000,
  /** Of what an agent says under a heading. */
  agentExcerptCharacters: 2_000,
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
  /** A page that `wiki.build` reads. */
  pageBytes: 262_144,
  entitiesAtMost: 200,
  /** An entity is a key word of at least so many pages. */
  entityPages: 2,
  /** Pages that a job lists one by one among its artifacts; its manifest always lists all. */
  pageArtifacts: 500,
});

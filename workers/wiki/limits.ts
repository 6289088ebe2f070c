/** What the wiki workers ask and make at most, with the unit at the end of each name. */
export const wikiLimits = Object.freeze({
  /** Sources that an agent is asked about in one job: the others are left out, and told. */
  agentSourcesAtMost: 60,
  /** Of a source, for an agent; the rest is cut off, and told. */
  agentSourceCharacters: 200_000,
  /** Of what an agent says under a heading. */
  agentExcerptCharacters: 2_000,
  /** A page that `wiki.build` reads: more than `wiki.forge` can make, whatever an agent says. */
  pageBytes: 1_048_576,
  entitiesAtMost: 200,
  /** An entity is a key word of at least so many pages. */
  entityPages: 2,
  /** Pages that a job lists one by one among its artifacts; its manifest always lists all. */
  pageArtifacts: 500,
});

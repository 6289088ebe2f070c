/** What dreaming takes and makes at most, with the unit at the end of each name. */
export const dreamLimits = Object.freeze({
  /** Documents and transcripts found; by themselves those of the daemon's runs. */
  sourcesAtMost: 20_000,
  /** Entries of the folders that are walked; by themselves those of the daemon's runs. */
  folderEntries: 200_000,
  folderDepth: 32,
  /** A larger document is left out, and told. */
  documentBytes: 1_048_576,
  /** A larger transcript is left out, and told. */
  transcriptBytes: 33_554_432,
  /** Of a transcript; a longer line is passed over, and counted. */
  transcriptLineBytes: 1_048_576,
  /** Of a document, or of what an agent said; of a longer line the rest is not read. */
  lineCharacters: 4_096,
  /** New or changed sources of one iteration: the others wait for the next one. */
  sourcesPerIteration: 5_000,
  /** Once so many statements are found, further sources wait for the next iteration. */
  statementsPerIteration: 2_000,
  /** Of one source; further ones are passed over, and counted. */
  statementsPerSource: 200,
  statementCharacters: 600,
  /** A shorter text says nothing that is worth keeping. */
  statementLeastCharacters: 12,
  statementLeastWords: 3,
  headingCharacters: 120,
  /** Files below `.agents/learnings`. */
  learningsAtMost: 20_000,
  /** What the files below `.agents/learnings` say, all together: everything new is compared with it. */
  knownStatementsAtMost: 100_000,
  /** Places that a learning names. */
  sourcesOfLearning: 50,
  keywordsOfLearning: 8,
  /** Two statements are one when so much of all their words, and pairs of words, is in both. */
  likeness: 0.7,
  /** A learning is stale when it is so much older than the newest document. */
  staleDays: 90,
  /** New statements that an agent is asked about in one iteration. */
  groupsAsked: 100,
  iterationsDefault: 10,
  iterationsAtMost: 1_000,
  goalCharacters: 4_000,
  runIdCharacters: 256,
  /** Of a list in the report; their number always is told. */
  listedAtMost: 100,
  indexBytes: 33_554_432,
});

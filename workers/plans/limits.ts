/** What the projection of plans takes, with the unit at the end of each name. */
export const plansLimits = Object.freeze({
  /** Of `.beads/issues.jsonl`. */
  issuesBytes: 67_108_864,
  /** Of one of its lines. */
  lineBytes: 262_144,
  /** Of one plan. */
  planBytes: 1_048_576,
  plansAtMost: 10_000,
  /** Entries of the folder of plans, plans or not. */
  folderEntries: 100_000,
  /** Lines of the issue file, or plans, that are not blank: good or bad. */
  entriesAtMost: 100_000,
  idCharacters: 200,
  titleCharacters: 400,
  /** Of a status, a priority, a type. */
  wordCharacters: 80,
  dependenciesAtMost: 200,
  /** Of plans that depend on each other, so many are named. */
  cycleIdsTold: 10,
  /** Findings told one by one; their number always is. */
  findingsAtMost: 1_000,
});

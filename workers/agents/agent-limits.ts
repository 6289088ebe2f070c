/** What bounds the run of an agent beside its configured times, with the unit at the end of each name. */
export const agentLimits = Object.freeze({
  /** So long an agent may say nothing but that it does not reach its model; some CLIs would try for ever. */
  unreachableMs: 120_000,
  /** So long its process may stay after its final event. */
  lingerMs: 30_000,
  /** One line of a transcript; a longer one is kept in the file as far as it has room, and not looked at. */
  lineBytes: 16_777_216,
  /** Of `--version`. */
  versionMs: 30_000,
  /** Between two writings of `result.json` while the run lasts. */
  recordIntervalMs: 100,
  /** From a change to one more writing of it. */
  recordSettleMs: 1_000,
  /** Of the answer, in `result.json` and in what a run gives back; of a longer one the rest is counted. */
  answerCharacters: 2_097_152,
  /** Of what a CLI says went wrong, in `why` and in a job's failure. */
  troubleCharacters: 600,
  /** Refused tools that are told; the others are counted. */
  denials: 100,
  /** Of a refused tool's input, as JSON; a longer one is left out, and counted. */
  denialInputCharacters: 4_000,
});

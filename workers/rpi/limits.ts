/** What bounds a run of phases, with the unit at the end of each name. */
export const rpiLimits = Object.freeze({
  validationCommands: 50,
  /** Of one validation command. */
  validationMs: 1_800_000,
  /** Of the end of a validation command's output, in the phase's result. */
  outputCharacters: 4_000,
  /** `execution_packet_path`. */
  packetBytes: 262_144,
  /** Of what an agent said in a summary that is kept, and of a summary in the prompt of a later phase. */
  summaryCharacters: 65_536,
  quotedSummaryCharacters: 16_384,
  /** Of `diff.patch`; over it the files and their counts are told instead. */
  diffBytes: 16_777_216,
  resultBytes: 16_777_216,
  /** Of all `rpi.*` jobs that completed so many, the newest, are looked through for earlier phases of a run. */
  earlierJobs: 500,
});

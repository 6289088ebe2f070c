/** What an eval takes at most beyond what `spec/eval-suite.schema.json` bounds itself; units at the end of the names. */
export const evalLimits = Object.freeze({
  suiteBytes: 1_048_576,
  /** So often one value may stand in a suite by its anchor; what aliases in aliases come to is multiplied. */
  suiteAliases: 100,
  /** Problems of a suite that a failure tells; the others are counted. */
  toldProblems: 5,
  /** Of the files of one copy, and their folders in folders. */
  copyFiles: 5_000,
  copyDepth: 32,
  /** A file that is looked at after a run; a larger one fails what is expected of its content. */
  lookedAtBytes: 8_388_608,
  /** How long one pattern may search in one text. */
  patternMs: 500,
  /** Of what was printed or found instead, in the report. */
  observedCharacters: 400,
  /** Of one report, each check of each run, so that the report stays readable. */
  checksAtMost: 20_000,
  /** Runs of commands and agents of one job, tries included. */
  runsAtMost: 5_000,
  /** Of these, runs of an agent: each leaves about five artifacts, of which a job has a thousand at most. */
  agentRunsAtMost: 150,
  /** Of all runs of one job, if each took all of its time: a week. */
  secondsAtMost: 604_800,
  /** What an earlier attempt kept of a run. */
  keptRunBytes: 33_554_432,
  /** Of a SKILL.md. */
  skillBytes: 1_048_576,
  /** Kept of a skill's text for an agent's prompt. */
  skillCharacters: 65_536,
  /** Of eval.skill-delta. */
  repeatsAtMost: 50,
  /** With fewer cases a difference has no interval worth telling. Of unequal weights fewer cases count. */
  deltaCasesAtLeast: 10,
});

/** How often each side of eval.skill-delta runs where the payload says nothing. */
export const DEFAULT_REPEATS = 3;

/** What holds for a case where neither it nor the suite's `defaults` says something. */
export const caseDefaults = Object.freeze({
  weight: 1,
  timeout_seconds: 60,
  output_bytes: 1_048_576,
  copy_bytes: 33_554_432,
  tries: 1,
});

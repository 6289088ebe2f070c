/** What the factory workers take and make at most beyond what `spec/work-order.schema.json` bounds itself; units at the end. */
export const factoryLimits = Object.freeze({
  /** Of a file that holds an order or a CI baseline. */
  orderBytes: 1_048_576,
  /** Of an order as it is recorded and handed on: without its open requests, in UTF-8. */
  carriedBytes: 65_536,
  /** Problems of an order that a failure tells; the others are counted. */
  toldProblems: 5,
  /** Of each kind of blocker; the others are counted. */
  toldBlockers: 10,
  /** Changed or overlapping paths that one blocker names. */
  toldPaths: 5,
  /** Of one of these paths: what is recorded of a decision has a limit, `limits.recordedPayloadBytes`. */
  toldPathCharacters: 200,
  /** Of what git says about the tree or a branch; what is more counts as too much to look at. */
  listingBytes: 1_048_576,
  /** Of the difference that a pilot leaves. */
  diffBytes: 33_554_432,
  /** Paths of a pilot's difference in its report, and of those outside of the order; the others are counted. */
  changedPaths: 1_000,
  /** Validation commands of an order that is handed on: an `rpi.run` takes no more. */
  handedOnCommands: 50,
  /** Of the output of one command, and of an agent's answer, at its end, in the report. */
  outputCharacters: 4_000,
});

/** What is taken of an agent's answer, with the unit at the end of each name. */
export const askLimits = Object.freeze({
  /** Runs of the agent for one object. */
  tries: 3,
  /** Of a longer answer only so much is looked at and kept. */
  answerCharacters: 1_048_576,
  /** Of an answer that could not be used, in the prompt that asks again. */
  repeatedCharacters: 4_000,
  /** Places in an answer that may be the object. */
  candidates: 40,
  /** Problems named at once. */
  problems: 8,
  /** Of a member's name or a value in a problem. */
  problemCharacters: 160,
});

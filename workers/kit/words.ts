/** Key words: what a text says often, and in its headings. Counts alone, so the same text gives the same words. */

export type WordCounts = Map<string, number>;

const WORD = /\p{L}[\p{L}\p{N}]*(?:[-_][\p{L}\p{N}]+)*/gu;
const SHORTEST = 4;
const LONGEST = 40;

const STOP_WORDS = new Set(
  `about above according after again against also although always among another anyone anything because become becomes been
  before behind being below beside between beyond both cannot could does doing done down during each either else ends even ever
  every everything except first from further gets give given gives goes going have having here hers herself himself however
  into itself just keep keeps kept know last least less like made make makes making many may maybe might more most much must
  myself need needs neither never next nothing often once only other others otherwise over perhaps rather same several shall
  should since some something soon still such take taken takes than that their them themselves then there therefore these they
  thing things this those though through thus together told under until upon used uses using very want well were what whatever
  when where whether which while whole whom whose will with within without would your yours yourself`.split(/\s+/),
);

/** Adds the words of a text, each with `weight`. */
export function countWords(counts: WordCounts, text: string, weight: number): void {
  for (const [found] of text.matchAll(WORD)) {
    const word = found.toLowerCase();
    if (word.length < SHORTEST || word.length > LONGEST || STOP_WORDS.has(word)) continue;
    counts.set(word, (counts.get(word) ?? 0) + weight);
  }
}

/** The heaviest words; where they weigh the same, by the order of their letters. */
export function keywordsOf(counts: WordCounts, atMost: number): string[] {
  return [...counts.entries()]
    .sort(([a, weightOfA], [b, weightOfB]) => weightOfB - weightOfA || (a < b ? -1 : 1))
    .slice(0, atMost)
    .map(([word]) => word);
}

/** Work on many things, a few at a time: they begin in their order, and so do the answers stand. */
export async function inLanes<Thing, Answer>(
  lanes: number,
  things: readonly Thing[],
  work: (thing: Thing) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < things.length) {
      const at = next++;
      answers[at] = await work(things[at] as Thing);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, things.length) }, lane));
  return answers;
}

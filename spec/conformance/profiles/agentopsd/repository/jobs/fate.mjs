/** Comes to the end that its payload names. */
export default async function fate(job, context) {
  const { fate } = job.payload;
  if (fate === 'fail') throw new Error('it was promised to fail');
  if (fate === 'crash') process.exit(3);
  if (fate === 'hang') {
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
    context.signal.throwIfAborted();
  }
  await context.artifact('fate.txt', 'complete\n');
  return { fate: 'complete' };
}

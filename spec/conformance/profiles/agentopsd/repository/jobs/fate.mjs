/** Comes to the end that its payload names. */
export default async function fate(job, context) {
  const { fate } = job.payload;
  if (fate === 'fail') {
    const message = 'it was promised to fail';
    throw Object.assign(new Error(message), { failure: { code: 'request_rejected', message, retryable: true } });
  }
  if (fate === 'crash') process.exit(3);
  if (fate === 'hang') {
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
    context.signal.throwIfAborted();
  }
  await context.artifact('fate.txt', 'complete\n');
  return { fate: 'complete' };
}

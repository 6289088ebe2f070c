/** What the contract leaves open may be done in any way: none of it is held against a server. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sideBySide } from './side-by-side.js';
import { allVariants, variantsOf, wholeSeconds } from './variants/all.js';
import { together } from './variants/variant.js';
import { judgedByUrl, use } from './varied.js';
import { answerOf, bodyOf } from './wire.js';

const test = suite('conformance, variants');

const runs = {
  'all variants at once, observe': () => judgedByUrl('all', ['--level', 'observe'], use),
  'all variants at once, enqueue': () => judgedByUrl('all', ['--level', 'enqueue']),
  'whole seconds, observe': () => judgedByUrl(wholeSeconds.name, ['--level', 'observe']),
};
const judgedOf = sideBySide(test, runs);

for (const what of Object.keys(runs) as (keyof typeof runs)[])
  test(`${what}: nothing is said against it`, async () => {
    const { code, report, said } = await judgedOf(what);
    assert.equal(said, []);
    assert.ok(report.totals.pass > 20, `${report.totals.pass} checks passed`);
    assert.is(code, 4);
  });

test('each of them changes an answer', async () => {
  const event = { event_id: 'evt_a_b_000001', event_type: 'a', occurred_at: '2026-01-01T00:00:00.5Z', actor: 'b' };
  const body = { error: 'no', events: [event], source_ledger: 'a', last_event_id: event.event_id, text: 'ü' };
  const asked = { method: 'HEAD', path: '/v1/events', query: '', headers: {}, body: Buffer.alloc(0) };
  const behind = { read: async () => ({}) as NonNullable<ReturnType<typeof bodyOf>> };
  for (const one of allVariants) {
    const before = answerOf(400, body);
    const { answer, write } = together(variantsOf(one.name), behind);
    const after = await answer?.(before, asked, { isGone: () => false });
    const isOther =
      JSON.stringify(after) !== JSON.stringify(before) || after?.body.toString() !== before.body.toString();
    assert.ok(isOther || write !== undefined, one.name);
  }
});

test('an id that was changed is a cursor that is understood', async () => {
  const [event_id, job_id] = ['evt_job.accepted_x_000001', 'x'];
  const page = { events: [{ event_id, event_type: 'job.accepted', job_id }] };
  const behind = { read: async () => page as unknown as NonNullable<ReturnType<typeof bodyOf>> };
  const [first, second] = [
    together(variantsOf('uuid-event-ids'), behind),
    together(variantsOf('uuid-event-ids'), behind),
  ];
  const asked = { method: 'GET', path: '/v1/events', query: '', headers: {}, body: Buffer.alloc(0) };
  const sender = { isGone: () => false };
  const shown = bodyOf((await first.answer?.(answerOf(200, page), asked, sender)) ?? answerOf(500, {}));
  const uuid = shown?.events[0]?.event_id ?? '';
  assert.match(uuid, /^[0-9a-f]{8}-/);
  // By the process after the next start too.
  for (const each of [first, second]) {
    const passed = await each.ask?.({ ...asked, query: `since=${uuid}&limit=2` }, sender);
    assert.equal(passed, { ...asked, query: `since=${event_id}&limit=2` });
  }
});

test.run();

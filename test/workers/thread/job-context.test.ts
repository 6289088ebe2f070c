import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openTestAttempt } from '../../support/attempt.js';

const contexts = suite('job context');
let root: string;

contexts.before.each(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-context-')));
});
contexts.after.each(() => rmSync(root, { recursive: true, force: true }));

contexts('all contexts are of one shape, and a fast one: a thread makes one for each of its jobs', () => {
  setFlagsFromString('--allow-natives-syntax');
  const sameShape = new Function('one', 'other', 'return %HaveSameMap(one, other)') as (
    a: object,
    b: object,
  ) => boolean;
  const isFast = new Function('one', 'return %HasFastProperties(one)') as (one: object) => boolean;
  // The first ones teach the engine what they are made of.
  const opened = Array.from({ length: 4 }, () => openTestAttempt(root));
  const [, , one, other] = opened.map(({ context }) => context);
  assert.ok(one !== undefined && other !== undefined);
  assert.ok(isFast(one) && isFast(other), 'no table of names');
  assert.ok(sameShape(one, other));
  for (const attempt of opened) attempt.close();
});

contexts('what is made when it is asked for is a member as any other: spread, it is there', () => {
  const attempt = openTestAttempt(root);
  const spread = { ...attempt.context, log: () => {} };
  assert.is(spread.runDir, attempt.task.runDir);
  assert.is(spread.signal, attempt.context.signal);
  attempt.stop();
  assert.ok(spread.signal.aborted);
  attempt.close();
});

contexts.run();

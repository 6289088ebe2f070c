#!/usr/bin/env node
/** `jobspec-conformance`. */
import { parseArgs } from 'node:util';
import { readCatalogue } from './catalogue.js';
import { allChecks } from './checks/all.js';
import { profileOf } from './read-profile.js';
import { run } from './run/run.js';
import { selectChecks } from './run/selection.js';
import { verdictOf } from './verdict.js';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    'token-env': { type: 'string' },
    profile: { type: 'string' },
    only: { type: 'string' },
    seed: { type: 'string' },
  },
});
const catalogue = readCatalogue();
const profile = profileOf({
  url: values.url,
  tokenEnv: values['token-env'],
  profilePath: values.profile,
  environment: process.env,
  checkIds: catalogue.map(({ id }) => id),
});
const result = await run({
  profile,
  selected: selectChecks(catalogue, allChecks, values.only),
  seed: values.seed ?? '1',
  progress: ({ selected, outcome, ms }) => console.log(selected.entry.id, JSON.stringify(outcome), ms),
});
for (const { selected, outcome } of result.done) {
  const { entry } = selected;
  const findings = result.findings.of(entry.id).map(({ expected, observed }) => ({ expected, observed }));
  console.log(verdictOf(entry.severity, findings as never, outcome), entry.id, JSON.stringify(findings));
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepParsedDocument, parsedDocument } from '../../lib/engine/parsed-document.js';

const test = suite('parsed document');
let folder: string;
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentopsd-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const kept = (): URL => pathToFileURL(join(folder, 'kept.json'));

test('what is kept counts for its own text alone', () => {
  keepParsedDocument('a: 1', kept());
  const marked = { sha256: '', document: 'marked' };
  assert.equal(parsedDocument('a: 1', kept()), { a: 1 });
  assert.equal(parsedDocument('a: 2', kept()), { a: 2 });
  writeFileSync(kept(), JSON.stringify(marked));
  assert.equal(parsedDocument('a: 1', kept()), { a: 1 });
});

test('the kept value is what is answered, not parsed again', () => {
  keepParsedDocument('a: [1, 2]', kept());
  const { sha256 } = JSON.parse(readFileSync(kept(), 'utf8')) as { sha256: string };
  writeFileSync(kept(), JSON.stringify({ sha256, document: 'kept' }));
  assert.is(parsedDocument('a: [1, 2]', kept()), 'kept');
});

test('a missing or broken file costs time and nothing else', () => {
  assert.equal(parsedDocument('a: 1', kept()), { a: 1 });
  writeFileSync(kept(), '{');
  assert.equal(parsedDocument('a: 1', kept()), { a: 1 });
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dreamLimits } from '../../../workers/dream/limits.js';
import { textsOfTranscript } from '../../../workers/dream/transcript-texts.js';

const test = suite('texts of a transcript');

const said = (...lines: readonly unknown[]): readonly string[] =>
  textsOfTranscript(
    Buffer.from(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')),
  ).texts;

test('what the agent said, in each form that is known', () => {
  assert.equal(
    said(
      { type: 'assistant', message: { role: 'assistant', content: [{ type: 'text', text: 'one' }] } },
      { type: 'result', subtype: 'success', result: 'two' },
      { type: 'item.completed', item: { type: 'agent_message', text: 'three' } },
      { role: 'assistant', content: 'four' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'five' }] },
    ),
    ['one', 'two', 'three', 'four', 'five'],
  );
});

test('not what people, tools and files told it, and no line that is something else', () => {
  assert.equal(
    said(
      { type: 'user', message: { role: 'user', content: [{ type: 'text', text: 'a' }] } },
      {
        type: 'assistant',
        message: {
          content: [
            { type: 'tool_use', input: { text: 'b' } },
            { type: 'thinking', text: 'c' },
          ],
        },
      },
      { type: 'item.completed', item: { type: 'command_execution', aggregated_output: 'd' } },
      { role: 'user', content: 'e' },
      'no json',
      '[1]',
      'null',
      '{"type":"assistant","message":null}',
      '{"type":"assistant","message":{"content":7}}',
      '{"__proto__":{"type":"result"},"result":"f"}',
    ),
    [],
  );
});

test('a text that comes twice is one, and a lone surrogate becomes readable', () => {
  assert.equal(said({ type: 'result', result: 'one' }, { role: 'assistant', content: 'one' }), ['one']);
  assert.equal(said('{"type":"result","result":"a\\ud800"}'), ['a\ufffd']);
});

test('a line over the limit is passed over and counted', () => {
  const long = JSON.stringify({ type: 'result', result: 'x'.repeat(dreamLimits.transcriptLineBytes) });
  const bytes = Buffer.from(`${long}\n${JSON.stringify({ type: 'result', result: 'after it' })}\n`);
  assert.equal(textsOfTranscript(bytes), { texts: ['after it'], longLines: 1 });
  const longest = JSON.stringify({ type: 'result', result: 'as long as can be' }).padEnd(
    dreamLimits.transcriptLineBytes,
  );
  assert.equal(textsOfTranscript(Buffer.from(`${longest}\n`)), { texts: ['as long as can be'], longLines: 0 });
  assert.equal(textsOfTranscript(Buffer.from(`${longest} \n`)), { texts: [], longLines: 1 });
});

test.run();

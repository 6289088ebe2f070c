/**
 * What an agent said in a transcript of lines of JSON: its own words alone, not what tools and files told it. Claude
 * Code, Codex, and lines of `{role, content}` are understood; whatever else a line holds is passed over.
 */
import { type JsonObject, jsonObjectIn } from '../../lib/base/json.js';
import { objectIn, objectsIn, textIn } from '../agents/members.js';
import { createLineReader } from '../process/lines.js';
import { dreamLimits } from './limits.js';

export interface TranscriptTexts {
  readonly texts: readonly string[];
  /** Lines over the limit. */
  readonly longLines: number;
}

export function textsOfTranscript(bytes: Buffer): TranscriptTexts {
  const texts = new Set<string>();
  let longLines = 0;
  const reader = createLineReader(
    dreamLimits.transcriptLineBytes,
    (line) => {
      const event = jsonObjectIn(line);
      if (event !== undefined) for (const text of saidIn(event)) texts.add(text);
    },
    () => {
      longLines += 1;
    },
  );
  reader.take(bytes);
  reader.end();
  return { texts: [...texts], longLines };
}

function saidIn(event: JsonObject): string[] {
  const item = objectIn(event, 'item');
  if (event['type'] === 'item.completed' && item?.['type'] === 'agent_message') return listed(textIn(item, 'text'));
  if (event['type'] === 'result') return listed(textIn(event, 'result'));
  const message = objectIn(event, 'message') ?? event;
  const isAgents = event['type'] === 'assistant' || message['role'] === 'assistant';
  return isAgents ? [...listed(textIn(message, 'content')), ...textBlocks(message)] : [];
}

function textBlocks(message: JsonObject): string[] {
  return objectsIn(message, 'content').flatMap((block) =>
    block['type'] === 'text' || block['type'] === 'output_text' ? listed(textIn(block, 'text')) : [],
  );
}

function listed(text: string | undefined): string[] {
  return text === undefined ? [] : [text];
}

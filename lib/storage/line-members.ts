/** The members of a line and their types: what `decodeLine` asks of a parsed object. Answers say what is wrong. */
import { isJsonObject } from '../base/json.js';
import { parseSegmentName } from './segment.js';

type Members = Record<string, unknown>;
type Test = (value: unknown) => boolean;

const isText: Test = (value) => typeof value === 'string' && value !== '';
const isCount: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 1;
const HASH_DIGITS = 64;
/** Sign by sign: each line has one or two of them, and an expression takes five times as long. */
const isHash: Test = (value) => {
  if (typeof value !== 'string' || value.length !== HASH_DIGITS) return false;
  for (let at = 0; at < HASH_DIGITS; at++) {
    const sign = value.charCodeAt(at);
    if (!((sign >= 0x30 && sign <= 0x39) || (sign >= 0x61 && sign <= 0x66))) return false;
  }
  return true;
};
const isTime: Test = (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value);

interface Member {
  readonly test: Test;
  readonly needed: boolean;
}
const needed = (test: Test): Member => ({ test, needed: true });
const optional = (test: Test): Member => ({ test, needed: false });
const shape = (members: Record<string, Member>): ReadonlyMap<string, Member> => new Map(Object.entries(members));

const commitMembers = shape({ from: needed(isCount), mac: needed(isHash) });
const afterMembers = shape({
  length: needed(isCount),
  segment: needed((value) => typeof value === 'string' && parseSegmentName(value) !== undefined),
});
const eventMembers = shape({
  actor: needed(isText),
  commit: optional((value) => isJsonObject(value) && whyNotShape(value, commitMembers) === undefined),
  event_id: needed(isText),
  event_type: needed(isText),
  // Not of every event: what is told about the ledger itself belongs to no job.
  job_id: needed((value) => typeof value === 'string'),
  occurred_at: needed(isTime),
  payload: optional(isJsonObject),
  prev_hash: needed(isHash),
  request_id: needed(isText),
  schema_version: needed((value) => value === 1),
  seq: needed(isCount),
});
const segmentMembers = shape({
  after: optional((value) => isJsonObject(value) && whyNotShape(value, afterMembers) === undefined),
  home: needed(isText),
  mac: needed(isHash),
  opened_at: needed(isTime),
  term: needed(isCount),
  writer: needed((value) => typeof value === 'string' && /^[0-9a-f]{8}$/.test(value)),
});
const headerMembers = shape({
  prev_hash: optional(isHash),
  schema_version: needed((value) => value === 1),
  segment: needed(isJsonObject),
});

function whyNotShape(value: Members, members: ReadonlyMap<string, Member>): string | undefined {
  for (const [name, member] of members) {
    const held = value[name];
    if (held === undefined) {
      if (member.needed) return `lacks ${name}`;
    } else if (!member.test(held)) return `${name} is not what it must be`;
  }
  for (const name of Object.keys(value)) if (!members.has(name)) return `has an unknown member ${JSON.stringify(name)}`;
  return undefined;
}

/** Undefined for a whole event. An event always has a line before it: at least the header. */
export function whyNoEvent(value: Members): string | undefined {
  const why = whyNotShape(value, eventMembers);
  if (why !== undefined) return why;
  const commit = value.commit as { from: number } | undefined;
  return commit !== undefined && commit.from > (value.seq as number) ? 'commit.from is greater than seq' : undefined;
}

export function whyNoHeader(value: Members): string | undefined {
  const why = whyNotShape(value, headerMembers);
  if (why !== undefined) return why;
  const within = whyNotShape(value.segment as Members, segmentMembers);
  if (within !== undefined) return `segment ${within}`;
  const { after } = value.segment as Members;
  if ((after === undefined) !== (value.prev_hash === undefined)) return 'prev_hash and after stand only together';
  return undefined;
}

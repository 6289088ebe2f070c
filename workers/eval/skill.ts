/** The skill that `eval.skill-delta` measures: a folder with a `SKILL.md`, and how a run gets it, or does not. */
import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { JsonObject } from '../../lib/base/json.js';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import { textMember, told } from '../kit/payload.js';
import { readRegularFile, resolveInside, type SourcePath } from '../kit/sources.js';
import { evalLimits } from './limits.js';
import type { EvalSuite } from './model.js';
import type { PartsOf } from './preparation.js';

export interface Skill {
  readonly name: string;
  /** Relative to the root. */
  readonly path: string;
  /** Of `SKILL.md`, hex. */
  readonly sha256: string;
  /** Its folder, relative to a copy. */
  readonly at: string;
  /** What an agent is told of it. */
  readonly told: string;
  /** The parts of a copy for a run with it, and for one without: neither has it from elsewhere. */
  readonly partsWith: PartsOf;
  readonly partsWithout: PartsOf;
}

/** Where a skill is looked for that is named alone. */
const HOMES = ['.agents/skills', 'skills'];
const MEMBER = 'payload.skill';

/** @throws a failure `request_rejected` that names `payload.skill` */
export async function readSkill(payload: JsonObject, context: BuiltinContext, suite: EvalSuite): Promise<Skill> {
  const named = textMember(payload, 'skill');
  if (named === undefined)
    throw failure('request_rejected', `${MEMBER}: name the skill, or its folder relative to the repository`);
  const folder = await findSkill(context.root, named);
  const text = await readText(context.root, folder);
  const name = posix.basename(folder.path);
  const at = `${suite.skill_folder}/${name}`;
  const elsewhere = (inCopy: string, inRoot: string) => isBelow(at, inCopy) || isBelow(folder.path, inRoot);
  const partsWithout: PartsOf = (parts) => parts.map((part) => ({ ...part, leaveOut: elsewhere }));
  return {
    name,
    path: folder.path,
    sha256: createHash('sha256').update(text, 'utf8').digest('hex'),
    at,
    told: toldSkill(at, text),
    partsWith: (parts) => [...partsWithout(parts), { source: folder.path, at, member: MEMBER }],
    partsWithout,
  };
}

async function findSkill(root: string, named: string): Promise<SourcePath> {
  const places = named.includes('/') ? [named] : HOMES.map((home) => `${home}/${named}`);
  const there = await Promise.all(places.map((place) => lstat(join(root, place)).catch(() => undefined)));
  const found = places.find((_, at) => there[at] !== undefined);
  if (found === undefined)
    throw failure('request_rejected', `${MEMBER}: ${told(named)} is not there; looked for ${places.join(' and ')}`);
  const folder = await resolveInside(root, found, MEMBER);
  if (folder.path === '.') throw failure('request_rejected', `${MEMBER}: the repository as a whole is no skill`);
  if ((await lstat(folder.absolute)).isDirectory()) return folder;
  throw failure('request_rejected', `${MEMBER}: ${told(folder.path)} is not a folder`);
}

async function readText(root: string, folder: SourcePath): Promise<string> {
  const read = await readRegularFile(root, join(folder.absolute, 'SKILL.md'), evalLimits.skillBytes);
  if ('reason' in read)
    throw failure('request_rejected', `${MEMBER}: ${told(`${folder.path}/SKILL.md`)} is needed, and is ${read.reason}`);
  return read.bytes.toString('utf8');
}

function toldSkill(at: string, text: string): string {
  const { skillCharacters } = evalLimits;
  const whole = text.length <= skillCharacters;
  const shown = whole ? text : text.slice(0, skillCharacters).toWellFormed();
  return [
    `A skill is at hand in the folder ${at} of the folder that you work in. Follow it where it fits. Its SKILL.md${whole ? '' : ' begins'}:`,
    shown,
  ].join('\n\n');
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

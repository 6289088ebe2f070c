/**
 * `runs/<job>/phases/<n>/`, shared by the attempts of a job: what each phase left.
 *
 *     base.json      the state of the files when the phase was begun first: its difference is from there
 *     prompt.md, transcript.jsonl, stderr.log   of the agent's run that finished it
 *     summary.md, diff.patch
 *     result.json    written last, whole: a phase that has one is over
 *
 * A repository can deliver files anywhere below its root: the first attempt removes what stands there, and a result
 * counts only for the very job and payload that it names.
 */
import { copyFile, link, lstat, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import { createFileWriter } from '../kit/atomic-write.js';
import { readRegularFile } from '../kit/sources.js';
import { rpiLimits } from './limits.js';
import type { Phase, PhaseResult, RpiRequest } from './request.js';

const agentFiles = ['prompt.md', 'transcript.jsonl', 'stderr.log'] as const;
const ownFiles = ['summary.md', 'diff.patch', 'result.json'] as const;

export class PhaseResults {
  readonly #context: BuiltinContext;
  readonly #request: RpiRequest;
  readonly #folder: string;

  static async open(context: BuiltinContext, request: RpiRequest): Promise<PhaseResults> {
    const folder = join(dirname(context.runDir), 'phases');
    if (context.attempt === 1) await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    if (!(await lstat(folder)).isDirectory())
      throw failure('request_rejected', `${folder} is in the way: not a folder`);
    return new PhaseResults(context, request, folder);
  }

  private constructor(context: BuiltinContext, request: RpiRequest, folder: string) {
    this.#context = context;
    this.#request = request;
    this.#folder = folder;
  }

  folderOf({ number }: Phase): string {
    return join(this.#folder, String(number));
  }

  /** What an earlier attempt finished well; its files become artifacts of this one. */
  async finished(phase: Phase): Promise<PhaseResult | undefined> {
    const read = await this.#read(phase, 'result.json');
    const { request, verdict } = read ?? {};
    if (request !== this.#request.hash || verdict !== 'succeeded') return undefined;
    await this.#record(phase);
    return read as unknown as PhaseResult;
  }

  /** What `base.json` says; written with `made` when an earlier attempt did not. */
  async base<Base extends JsonObject>(phase: Phase, make: () => Promise<Base>): Promise<Base> {
    const read = await this.#read(phase, 'base.json');
    if (read?.['request'] === this.#request.hash && isJsonObject(read['base'])) return read['base'] as Base;
    const base = await make();
    await this.#write(phase, { 'base.json': json({ request: this.#request.hash, base }) });
    return base;
  }

  /** @param agentFolder absolute; where the agent's run left its files */
  async keep(phase: Phase, result: PhaseResult, summary: string, agentFolder: string): Promise<void> {
    for (const name of agentFiles) await place(join(agentFolder, name), join(this.folderOf(phase), name));
    await this.#write(phase, { 'summary.md': summary });
    await this.#write(phase, { 'result.json': json(result) });
    await this.#record(phase);
  }

  async #read(phase: Phase, name: string): Promise<JsonObject | undefined> {
    return readObject(this.#context.root, join(this.folderOf(phase), name));
  }

  async #write(phase: Phase, texts: Readonly<Record<string, string>>): Promise<void> {
    const { root, runDir } = this.#context;
    const writer = createFileWriter(root, runDir, this.#folder);
    for (const [name, text] of Object.entries(texts)) await writer.write(join(this.folderOf(phase), name), text);
    await writer.finish();
  }

  async #record(phase: Phase): Promise<void> {
    for (const name of [...agentFiles, ...ownFiles]) {
      const path = join(this.folderOf(phase), name);
      const isThere = await lstat(path).then(
        (facts) => facts.isFile(),
        () => false,
      );
      if (isThere) await this.#context.recordArtifact(`phase-${phase.number}/${name}`, path);
    }
  }
}

/** @param absolute its real path @returns undefined for what is no JSON object in a regular file of bounded size */
export async function readObject(root: string, absolute: string): Promise<JsonObject | undefined> {
  const read = await readRegularFile(root, absolute, rpiLimits.resultBytes);
  if ('reason' in read) return undefined;
  try {
    const value: unknown = JSON.parse(read.bytes.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The same file under another name where the disk can do that; what stands there gives way. */
async function place(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await link(from, to)
    .catch(() => copyFile(from, to))
    .catch(() => undefined);
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * The stage ingest: what there is to dream about. Every source is looked at, and those that are new or changed since the
 * last run are read for what they say was learned. A run that finds more than one iteration takes leaves the rest waiting.
 */
import type { BuiltinContext } from '../builtin-context.js';
import type { Skipped } from '../kit/sources.js';
import { dreamLimits } from './limits.js';
import { type DreamDocument, findDreamSources, readDreamSource, type SourceKind } from './sources.js';
import { type FoundStatements, type Statement, statementsIn } from './statements.js';
import { readIndex } from './taken-sources.js';
import { textsOfTranscript } from './transcript-texts.js';

export interface IngestedSource {
  readonly path: string;
  readonly kind: SourceKind;
  readonly sha256: string;
  readonly date?: string;
  /** Against the last run; `waiting` is new or changed, and left to the next iteration. */
  readonly status: 'new' | 'changed' | 'known' | 'waiting';
}
export interface FoundStatement extends Statement {
  /** Path of the source that says so. */
  readonly source: string;
}
export interface Ingested {
  /** Sorted by path. */
  readonly sources: readonly IngestedSource[];
  /** Taken by an earlier run, and not there any more. */
  readonly gone: readonly string[];
  /** In the order of the sources. */
  readonly statements: readonly FoundStatement[];
  readonly skipped: readonly Skipped[];
  /** Statements beyond a limit, or that look like a secret. */
  readonly left_out: number;
  /** Lines of transcripts over the limit. */
  readonly long_lines: number;
  /** Whether there is more than the limits of the search let in. */
  readonly cut: boolean;
}

export async function ingest(context: BuiltinContext, jobId: string): Promise<Ingested> {
  const { root, signal } = context;
  const index = await readIndex(root, context.log);
  const found = await findDreamSources(root, jobId, signal);
  const sources: IngestedSource[] = [];
  const statements: FoundStatement[] = [];
  const skipped: Skipped[] = [...found.skipped];
  let taken = 0;
  let leftOut = 0;
  let longLines = 0;
  for (const [at, source] of found.sources.entries()) {
    signal.throwIfAborted();
    if (at % 100 === 0) context.progress({ done: at, total: found.sources.length, text: 'ingest' });
    const document = await readDreamSource(root, source);
    if (document === undefined) continue;
    if ('reason' in document) {
      skipped.push({ source: source.path, reason: document.reason });
      continue;
    }
    const { path, kind } = source;
    const { sha256, date } = document;
    const facts = { path, kind, sha256, ...(date === undefined ? {} : { date }) };
    const before = index.get(path)?.sha256;
    if (before === sha256) sources.push({ ...facts, status: 'known' });
    else if (isFull(taken, statements.length)) sources.push({ ...facts, status: 'waiting' });
    else {
      taken += 1;
      sources.push({ ...facts, status: before === undefined ? 'new' : 'changed' });
      const said = statementsOf(document, kind);
      statements.push(...said.statements.map((statement) => ({ ...statement, source: path })));
      leftOut += said.leftOut;
      longLines += said.longLines;
    }
  }
  const there = new Set(found.sources.map(({ path }) => path));
  const gone = found.cut ? [] : [...index.keys()].filter((path) => !there.has(path)).sort();
  return { sources, gone, statements, skipped, left_out: leftOut, long_lines: longLines, cut: found.cut };
}

function isFull(taken: number, statements: number): boolean {
  return taken >= dreamLimits.sourcesPerIteration || statements >= dreamLimits.statementsPerIteration;
}

/** A learning that people wrote is learned already: what it says is what others are compared with. */
function statementsOf({ bytes }: DreamDocument, kind: SourceKind): FoundStatements & { readonly longLines: number } {
  if (kind === 'learning') return { statements: [], leftOut: 0, longLines: 0 };
  if (kind === 'knowledge') return { ...statementsIn(bytes.toString('utf8')), longLines: 0 };
  const { texts, longLines } = textsOfTranscript(bytes);
  return { ...statementsIn(texts.join('\n\n# \n\n')), longLines };
}

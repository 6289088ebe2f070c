/** What `.agents/learnings` holds: learnings that earlier runs wrote, and whatever people wrote there. */

import { failure } from '../failure.js';
import { walkFiles } from '../kit/folder-walk.js';
import { frontMatterOf, readFrontMatter } from '../kit/pages.js';
import { readDocument } from '../kit/read-document.js';
import { isDocument, readRegularFile } from '../kit/sources.js';
import { DREAMT_BY, decodeLearning, type Learning } from './learning.js';
import { dreamLimits } from './limits.js';
import { LEARNINGS_FOLDER } from './sources.js';
import { statementsIn } from './statements.js';

export interface KnownStatement {
  readonly text: string;
  /** Relative to the root. */
  readonly file: string;
  /** There when the file is an earlier run's, as it wrote it. */
  readonly learning?: Learning;
}
export interface KnownLearnings {
  /** Those of earlier runs first, then what people say; each in the order of the files. */
  readonly known: readonly KnownStatement[];
  /** Files of earlier runs as they wrote them, of earlier runs and edited since, and of people. */
  readonly counts: { readonly dreamt: number; readonly edited: number; readonly people: number };
}

/** @throws a failure `request_rejected` when there are too many to compare with */
export async function readLearnings(root: string, signal: AbortSignal): Promise<KnownLearnings> {
  const { learningsAtMost: files, folderEntries: entries, folderDepth: depth, knownStatementsAtMost } = dreamLimits;
  const bounds = { files, entries, depth };
  const walked = await walkFiles({ root, folder: LEARNINGS_FOLDER, bounds, takes: isDocument, signal });
  if (walked.cut) {
    throw failure(
      'request_rejected',
      `${LEARNINGS_FOLDER}: more than ${files} documents, or ${entries} entries of any kind; move some of them elsewhere`,
    );
  }
  const dreamt: KnownStatement[] = [];
  const others: KnownStatement[] = [];
  const counts = { dreamt: 0, edited: 0, people: 0 };
  for (const { path, absolute } of walked.files) {
    signal.throwIfAborted();
    const read = await readRegularFile(root, absolute, dreamLimits.documentBytes);
    if ('reason' in read) continue;
    const text = read.bytes.toString('utf8');
    const learning = decodeLearning(text);
    if (learning !== undefined) dreamt.push({ text: learning.statement, file: path, learning });
    else others.push(...saidBy(path, text).map((said) => ({ text: said, file: path })));
    if (dreamt.length + others.length > knownStatementsAtMost) {
      const message = `${LEARNINGS_FOLDER}: more than ${knownStatementsAtMost} statements; move some files elsewhere`;
      throw failure('request_rejected', message);
    }
    counts[learning !== undefined ? 'dreamt' : isDreamt(text) ? 'edited' : 'people'] += 1;
  }
  return { known: [...dreamt, ...others], counts };
}

function isDreamt(text: string): boolean {
  return frontOf(text)?.['built_by'] === DREAMT_BY;
}

function frontOf(text: string): Record<string, unknown> | undefined {
  return readFrontMatter(frontMatterOf(text)?.front ?? '');
}

/** Its statement as a run wrote it, even where the rest was edited; its title, what stands first, and what it lists. */
function saidBy(path: string, text: string): string[] {
  const statement = frontOf(text)?.['statement'];
  const { title, summary, sections } = readDocument(path, text);
  const said = [
    ...(typeof statement === 'string' ? [statement] : []),
    title.replace(/^learning:\s*/i, ''),
    summary,
    ...sections.map(({ excerpt }) => excerpt),
    ...statementsIn(text).statements.map((found) => found.text),
  ];
  return [...new Set(said.filter((each) => each !== ''))];
}

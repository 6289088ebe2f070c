/**
 * The files of a vault: notes that people write, what they lay into `raw/` to have pages made of it, pages that were
 * forged, and what `wiki.build` made. Folders that begin with a dot are the tools' own.
 */
import { posix } from 'node:path';
import { walkFiles } from '../kit/folder-walk.js';
import { decodePage, frontMatterOf, type PageFacts, readFrontMatter } from '../kit/pages.js';
import { isDocument, readSource, type Skipped, type SourcePath } from '../kit/sources.js';
import { llmwikiLimits } from './limits.js';

export type VaultKind = 'note' | 'raw' | 'page' | 'built';

export interface VaultDocument extends SourcePath {
  /** Relative to the vault. */
  readonly name: string;
  readonly kind: VaultKind;
  readonly sha256: string;
  /** What a forged page says of itself. */
  readonly page?: PageFacts;
}
export interface Vault {
  readonly folder: SourcePath;
  /** Sorted by name. */
  readonly documents: readonly VaultDocument[];
  /** Every file, relative to the vault: what links may lead to. */
  readonly names: ReadonlySet<string>;
  /** By name relative to the vault. */
  readonly skipped: readonly Skipped[];
  /** Whether there is more than the limits let in. */
  readonly cut: boolean;
}

const RAW = 'raw/';
/** What is told of a vault that is cut. */
export const WHY_CUT = `the vault holds more than ${llmwikiLimits.filesAtMost} files, or ${llmwikiLimits.folderEntries} entries of any kind: the others were not looked at`;

export async function readVault(root: string, folder: SourcePath, signal: AbortSignal): Promise<Vault> {
  const { filesAtMost: files, folderEntries: entries, folderDepth: depth } = llmwikiLimits;
  const bounds = { files, entries, depth };
  const nameOf = (path: string): string => (folder.path === '.' ? path : posix.relative(folder.path, path));
  const walked = await walkFiles({
    root,
    folder: folder.path,
    bounds,
    takes: (path) => !posix.basename(path).startsWith('.'),
    enters: (path) => !posix.basename(path).startsWith('.') && posix.basename(path) !== 'node_modules',
    signal,
  });
  const documents: VaultDocument[] = [];
  const skipped = walked.skipped.map(({ source, reason }) => ({ source: nameOf(source), reason }));
  for (const file of walked.files) {
    if (!isDocument(file.path)) continue;
    signal.throwIfAborted();
    const name = nameOf(file.path);
    const read = await readSource(root, file);
    if ('reason' in read) skipped.push({ source: name, reason: read.reason });
    else documents.push({ ...file, name, sha256: read.sha256, ...kindOf(name, read.text) });
  }
  const names = new Set(walked.files.map(({ path }) => nameOf(path)));
  return { folder, documents, names, skipped, cut: walked.cut };
}

function kindOf(name: string, text: string): { kind: VaultKind; page?: PageFacts } {
  const front = readFrontMatter(frontMatterOf(text)?.front ?? '');
  if (front?.['built_by'] !== undefined) return { kind: 'built' };
  const page = decodePage(text);
  if (!('reason' in page)) return { kind: 'page', page };
  return { kind: name.startsWith(RAW) ? 'raw' : 'note' };
}

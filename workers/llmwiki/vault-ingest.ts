/**
 * Takes into a vault what is newer than its sentinel: notes are recorded, documents in `raw/` become pages, and pages
 * whose source has changed are made again. What is to be taken is decided once (`planIngest`) and then done
 * (`ingestPlanned`), as often as it needs to be: the same plan ends in the same files.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';
import { createFileWriter } from '../kit/atomic-write.js';
import { byText } from '../kit/folder-walk.js';
import { decodePage, FORGED_BY, pageNameOf } from '../kit/pages.js';
import { readDocument } from '../kit/read-document.js';
import { insideRoot, isClosed, readSource, type SourcePath } from '../kit/sources.js';
import { builtinForger, pageText } from '../wiki/forged-page.js';
import { llmwikiLimits } from './limits.js';
import type { Vault, VaultDocument } from './vault-files.js';
import type { Sentinel } from './vault-sentinel.js';

export interface NewerDocument {
  /** Relative to the vault. */
  readonly name: string;
  readonly kind: 'note' | 'raw';
  readonly status: 'new' | 'changed';
  readonly sha256: string;
}
export interface IngestPlan {
  /** Sorted by name. */
  readonly newer: readonly NewerDocument[];
  /** In the sentinel, and not there any more. */
  readonly gone: readonly string[];
  /** Sources to make a page of, relative to the root. Sorted. */
  readonly sources: readonly string[];
  /** Documents left to the next tick. */
  readonly waiting: number;
  /** There when there is more in the vault than the limits let in. */
  readonly cut?: true;
}
export interface IngestedVault {
  /** Pages that were made, relative to the vault, with their sources. */
  readonly forged: readonly { readonly page: string; readonly source: string }[];
  readonly left_out: readonly { readonly source: string; readonly reason: string }[];
}

export async function planIngest(root: string, vault: Vault, sentinel: Sentinel): Promise<IngestPlan> {
  const all = vault.documents.flatMap((document) => newerOf(document, sentinel) ?? []);
  const newer = all.slice(0, llmwikiLimits.ingestedAtMost);
  const there = new Set([...vault.documents.map(({ name }) => name), ...vault.skipped.map(({ source }) => source)]);
  const raw = newer.filter(({ kind }) => kind === 'raw');
  const sources = new Set([
    ...raw.map(({ name }) => sourceOf(vault, name)),
    ...(await changedSources(root, vault.documents)),
  ]);
  return {
    newer,
    gone: vault.cut ? [] : [...sentinel.documents.keys()].filter((name) => !there.has(name)).sort(),
    sources: [...sources].sort(),
    waiting: all.length - newer.length,
    ...(vault.cut ? { cut: true } : {}),
  };
}

export function isEmptyPlan({ newer, gone, sources }: IngestPlan): boolean {
  return newer.length + gone.length + sources.length === 0;
}

function newerOf({ name, kind, sha256 }: VaultDocument, { documents }: Sentinel): NewerDocument | undefined {
  const before = documents.get(name);
  if ((kind !== 'note' && kind !== 'raw') || before === sha256) return undefined;
  return { name, kind, sha256, status: before === undefined ? 'new' : 'changed' };
}

function sourceOf({ folder }: Vault, name: string): string {
  return folder.path === '.' ? name : `${folder.path}/${name}`;
}

/** Of pages that were made without an agent: what an agent made is made again by `wiki.forge`, and told as stale here. */
async function changedSources(root: string, documents: readonly VaultDocument[]): Promise<string[]> {
  const changed: string[] = [];
  for (const { page, name } of documents) {
    if (page?.forged_by !== FORGED_BY || pageNameOf(page.source) !== name) continue;
    const hash = await sourceHash(root, page.source);
    if (hash !== undefined && hash !== page.source_sha256) changed.push(page.source);
  }
  return changed;
}

/** Undefined for a source that is not there, or not open to jobs: a page's front matter is no order to read anything. */
export async function sourceHash(root: string, source: string): Promise<string | undefined> {
  const file = sourceFile(root, source);
  if (file === undefined || (await lstat(file.absolute).catch(() => undefined))?.isFile() !== true) return undefined;
  const read = await readSource(root, file).catch(() => ({ reason: '' }));
  return 'reason' in read ? undefined : read.sha256;
}

function sourceFile(root: string, source: string): SourcePath | undefined {
  if (source.includes('\0')) return undefined;
  const absolute = join(root, source);
  const path = insideRoot(root, absolute);
  return path === undefined || path === '.' || isClosed(path) ? undefined : { path, absolute };
}

export async function ingestPlanned(
  context: BuiltinContext,
  vault: SourcePath,
  plan: IngestPlan,
): Promise<IngestedVault> {
  const { root, signal } = context;
  const writer = createFileWriter(root, context.runDir);
  const forged: { page: string; source: string }[] = [];
  const leftOut: { source: string; reason: string }[] = [];
  for (const [at, source] of plan.sources.entries()) {
    signal.throwIfAborted();
    context.progress({ done: at, total: plan.sources.length, text: source });
    const made = await pageOf(root, vault, source);
    if ('reason' in made) leftOut.push({ source, reason: made.reason });
    else {
      await writer.write(join(vault.absolute, made.page), made.text);
      forged.push({ page: made.page, source });
    }
  }
  await writer.finish();
  return { forged, left_out: leftOut.sort(byText(({ source }) => source)) };
}

async function pageOf(
  root: string,
  vault: SourcePath,
  source: string,
): Promise<{ readonly page: string; readonly text: string } | { readonly reason: string }> {
  const file = sourceFile(root, source);
  if (file === undefined) return { reason: 'not open to jobs' };
  const page = pageNameOf(source);
  const reason = await whyInTheWay(root, join(vault.absolute, page));
  if (reason !== undefined) return { reason: `${page} is in the way: ${reason}` };
  const read = await readSource(root, file);
  if ('reason' in read) return read;
  return { page, text: pageText(source, read, readDocument(source, read.text), builtinForger) };
}

/** Nothing but a page that was made without an agent is written over. */
async function whyInTheWay(root: string, absolute: string): Promise<string | undefined> {
  if ((await lstat(absolute).catch(() => undefined)) === undefined) return undefined;
  const read = await readSource(root, { path: '', absolute });
  if ('reason' in read) return read.reason;
  const page = decodePage(read.text);
  if ('reason' in page) return 'it was not made by a worker';
  return page.forged_by === FORGED_BY ? undefined : `it was forged by ${page.forged_by}`;
}

/** The sentinel when the plan is done. */
export function sentinelAfter({ documents, lintedAt }: Sentinel, { newer, gone }: IngestPlan): Sentinel {
  const taken = new Map(documents);
  for (const name of gone) taken.delete(name);
  for (const { name, sha256 } of newer) taken.set(name, sha256);
  return { documents: taken, lintedAt };
}

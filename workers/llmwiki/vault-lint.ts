/**
 * Looks through the notes and pages of a vault: front matter that can't be read, titles that are missing, links that
 * lead nowhere or out of the repository, pages whose source changed or is gone. What is in `raw/` is as it came.
 */
import { lstat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';
import { frontMatterOf, readFrontMatter } from '../kit/pages.js';
import { ATX_HEADING } from '../kit/read-document.js';
import { insideRoot, readSource } from '../kit/sources.js';
import { type Vault, type VaultDocument, WHY_CUT } from './vault-files.js';
import { sourceHash } from './vault-ingest.js';
import { linksIn, type VaultLink } from './vault-links.js';

export interface VaultFinding {
  readonly kind:
    | 'bad_front_matter'
    | 'no_front_matter'
    | 'no_title'
    | 'broken_link'
    | 'link_leads_out'
    | 'source_changed'
    | 'source_gone'
    | 'left_out';
  /** Relative to the vault. */
  readonly document: string;
  /** From 1. */
  readonly line?: number;
  readonly message: string;
}

/** @returns sorted by document and line */
export async function lintVault(vault: Vault, context: BuiltinContext): Promise<VaultFinding[]> {
  const { root, signal } = context;
  const findings: VaultFinding[] = vault.skipped.map(({ source, reason }) => ({
    kind: 'left_out',
    document: source,
    message: reason,
  }));
  if (vault.cut) findings.push({ kind: 'left_out', document: '.', message: WHY_CUT });
  const there = createTargets(root, vault);
  for (const [at, document] of vault.documents.entries()) {
    signal.throwIfAborted();
    if (at % 50 === 0) context.progress({ done: at, total: vault.documents.length, text: 'lint' });
    if (document.kind !== 'note' && document.kind !== 'page') continue;
    const read = await readSource(root, document);
    if ('reason' in read) findings.push({ kind: 'left_out', document: document.name, message: read.reason });
    else findings.push(...formFindings(document, read.text), ...(await linkFindings(document, read.text, there)));
    findings.push(...(await sourceFindings(root, document)));
  }
  return findings.sort(byPlace);
}

function formFindings({ name: document }: VaultDocument, text: string): VaultFinding[] {
  const matter = frontMatterOf(text);
  const body = matter?.body ?? text;
  const front = matter === undefined ? undefined : readFrontMatter(matter.front);
  const findings: VaultFinding[] = [];
  if (matter === undefined && /^\uFEFF?---[ \t]*\r?\n/.test(text)) {
    const message = 'its front matter has no end: a line --- is missing';
    findings.push({ kind: 'bad_front_matter', document, line: 1, message });
  } else if (matter === undefined) {
    const message = 'it has no front matter: begin it with a line ---, title: …, and a line ---';
    findings.push({ kind: 'no_front_matter', document, line: 1, message });
  } else if (front === undefined) {
    const message = 'its front matter is no object of YAML, too long, or uses aliases';
    findings.push({ kind: 'bad_front_matter', document, line: 1, message });
  }
  const title = front?.['title'];
  const isNamed = (typeof title === 'string' && title.trim() !== '') || hasGreatHeading(body);
  if (!isNamed)
    findings.push({ kind: 'no_title', document, message: 'neither a title in its front matter nor a heading "# …"' });
  return findings;
}

function hasGreatHeading(body: string): boolean {
  return body.split('\n').some((line) => ATX_HEADING.exec(line.slice(0, 400))?.[1] === '#');
}

interface Targets {
  /** What is wrong with a link, if anything. */
  why(document: VaultDocument, link: VaultLink): Promise<'broken_link' | 'link_leads_out' | undefined>;
}

async function linkFindings(document: VaultDocument, text: string, targets: Targets): Promise<VaultFinding[]> {
  const matter = frontMatterOf(text);
  const skipped = matter === undefined ? 0 : text.slice(0, text.length - matter.body.length).split('\n').length - 1;
  const findings: VaultFinding[] = [];
  const { links, cut } = linksIn(text, skipped);
  for (const link of links) {
    const kind = await targets.why(document, link);
    if (kind === undefined) continue;
    const message = `${link.target} ${kind === 'broken_link' ? 'is not there' : 'leads out of the repository'}`;
    findings.push({ kind, document: document.name, line: link.line, message });
  }
  if (cut) {
    const message = `more than ${links.length} links: the others were not looked at`;
    findings.push({ kind: 'left_out', document: document.name, message });
  }
  return findings;
}

function createTargets(root: string, vault: Vault): Targets {
  const wikiNames = new Set(
    [...vault.names].flatMap((name) => {
      const bare = name.replace(/\.[^./]+$/, '');
      return [name, bare, posix.basename(name), posix.basename(bare)].map((each) => each.toLowerCase());
    }),
  );
  const looked = new Map<string, Promise<boolean>>();
  const isThere = (path: string): Promise<boolean> => {
    const known = looked.get(path) ?? lstat(join(root, path)).then(...existence);
    looked.set(path, known);
    return known;
  };
  return {
    async why(document, { target, isWikiLink }) {
      if (isWikiLink && wikiNames.has(target.toLowerCase())) return undefined;
      if (/^(?:[a-z][a-z0-9+.-]*:|#|\/\/)/i.test(target)) return undefined;
      const plain = decoded(target.replace(/[?#].*$/, ''));
      if (plain === '' || plain.includes('\0')) return plain === '' ? undefined : 'broken_link';
      const places = plain.startsWith('/')
        ? [plain.slice(1), posix.join(vault.folder.path, plain.slice(1))]
        : [posix.join(posix.dirname(document.path), plain)];
      const inside = places.map((path) => posix.normalize(path)).filter((path) => insideRoot(root, join(root, path)));
      if (inside.length === 0) return 'link_leads_out';
      for (const path of inside) if ((await isThere(path)) || (await isThere(`${path}.md`))) return undefined;
      return 'broken_link';
    },
  };
}

const existence = [() => true, () => false] as const;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function sourceFindings(root: string, { name, page }: VaultDocument): Promise<VaultFinding[]> {
  if (page === undefined) return [];
  const hash = await sourceHash(root, page.source);
  if (hash === page.source_sha256) return [];
  return hash === undefined
    ? [{ kind: 'source_gone', document: name, message: `its source ${page.source} is not there, or can't be read` }]
    : [{ kind: 'source_changed', document: name, message: `its source ${page.source} changed since it was forged` }];
}

function byPlace(a: VaultFinding, b: VaultFinding): number {
  if (a.document !== b.document) return a.document < b.document ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.message < b.message ? -1 : a.message > b.message ? 1 : 0);
}

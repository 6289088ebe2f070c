/**
 * The parsed form of `spec/openapi.yaml`, kept beside this module by the build: parsing the document takes a quarter of
 * a second, which every start of the daemon would pay. It names the text that it was made from, and counts for that
 * text alone.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

export const DOCUMENT_FILE = new URL('../../../spec/openapi.yaml', import.meta.url);
const KEPT_FILE = new URL('parsed-document.json', import.meta.url);

interface Kept {
  readonly sha256: string;
  readonly document: unknown;
}

/** The value of the YAML `text`: the kept one when it is of this very text, otherwise parsed now. */
export function parsedDocument(text: string, keptFile: URL = KEPT_FILE): unknown {
  const kept = readKept(keptFile);
  return kept?.sha256 === hashOf(text) ? kept.document : parse(text);
}

/** The last step of a build. */
export function keepParsedDocument(
  text: string = readFileSync(DOCUMENT_FILE, 'utf8'),
  keptFile: URL = KEPT_FILE,
): void {
  writeFileSync(keptFile, JSON.stringify({ sha256: hashOf(text), document: parse(text) } satisfies Kept));
}

function readKept(keptFile: URL): Kept | undefined {
  try {
    return JSON.parse(readFileSync(keptFile, 'utf8')) as Kept;
  } catch {
    return undefined;
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** `jobspec-conformance` as a process, and what it wrote. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../spec/conformance/report/report.js';

const MAIN = fileURLToPath(new URL('../../spec/conformance/main.js', import.meta.url));
export const OWN_PROFILE = fileURLToPath(new URL('../../../spec/conformance/profiles/agentopsd.json', import.meta.url));
export const TOKEN = 'a-token-of-the-conformance-tests';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function conformance(...words: string[]): Promise<Ended> {
  return started(words).ended;
}

/** A run that is sent SIGINT once it has printed a text. */
export function interrupted(at: string, ...words: string[]): Promise<Ended> {
  const { child, ended } = started(words);
  let text = '';
  child.stdout.on('data', (piece: string) => {
    text += piece;
    if (text.includes(at)) child.kill('SIGINT');
  });
  return ended;
}

function started(words: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { ...process.env, JOBSPEC_TOKEN: TOKEN, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

export interface Judged extends Ended {
  readonly report: Report;
  /** By name: `report.json`, `junit.xml`, `report.html`, `summary.md`. */
  file(name: string): string;
}

/** A run with its report; the folder is gone when it ends. */
export async function judged(...words: string[]): Promise<Judged> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-report-'));
  try {
    const ended = await conformance(...words, '--report', folder);
    const texts = new Map<string, string>();
    for (const name of ['report.json', 'junit.xml', 'report.html', 'summary.md']) {
      texts.set(name, readOr(join(folder, name)));
    }
    const file = (name: string): string => texts.get(name) ?? '';
    if (file('report.json') === '') throw new Error(`no report: ${ended.stderr}\n${ended.stdout}`);
    return { ...ended, report: JSON.parse(file('report.json')) as Report, file };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What is not as it should be, in words that a failed test shows. */
export function complaints({ checks }: Report): string[] {
  return checks
    .filter(({ verdict }) => verdict !== 'pass' && verdict !== 'n/a')
    .map(({ id, verdict, reason, expected, observed }) => [verdict, id, reason, expected, observed].join(' | '));
}

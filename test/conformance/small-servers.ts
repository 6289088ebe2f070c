/** Profiles of the small server: what it keeps differs, and what it says does not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Level } from '../../spec/conformance/catalogue.js';
import { type Judged, judged } from './program.js';
import type { Keep } from './small-server/ledger.js';

const SMALL_SERVER = fileURLToPath(new URL('./small-server/main.js', import.meta.url));

export interface Small {
  readonly keep: Keep;
  readonly claims: readonly Level[];
  /** More arguments of the server. */
  readonly words?: readonly string[];
}

/** Started, killed and damaged by the program. */
export async function judgedSmall({ keep, claims, words = [] }: Small): Promise<Judged> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-small-'));
  const file = keep === 'memory' ? [] : ['--file', '{data_dir}/history.jsonl'];
  const profile = {
    implementation: `small-server, ${keep}`,
    claims,
    token_env: 'SMALL_SERVER_TOKEN',
    start: { command: [process.execPath, SMALL_SERVER, '--port', '{port}', '--keep', keep, ...file, ...words] },
    ...(keep === 'memory' ? {} : { ledger: { paths: ['history.jsonl'], format: 'jsonl' } }),
    workload: { idle: { job_type: 'dream.run' } },
    options: [],
  };
  try {
    const path = join(folder, 'jobspec.profile.json');
    writeFileSync(path, JSON.stringify(profile));
    return await judged('--profile', path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

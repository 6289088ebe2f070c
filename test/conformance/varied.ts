/** Runs of the program against daemons that do what the contract leaves open in their own way. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonFolder } from '../support/daemon.js';
import { passer, startFront } from './front.js';
import { type WrittenProfile, writeProfile } from './own-profile.js';
import { type Judged, judged, TOKEN } from './program.js';
import { variantsOf } from './variants/all.js';
import { together } from './variants/variant.js';
import { bodyOf } from './wire.js';

const VARIED_DAEMON = fileURLToPath(new URL('./varied-daemon.js', import.meta.url));

/**
 * By its address alone.
 * @param names of variants, as `variantsOf` has them
 * @param before what is done with the daemon before the program comes
 */
export async function judgedByUrl(
  names: string,
  words: readonly string[],
  before: (folder: DaemonFolder) => Promise<void> = async () => {},
): Promise<Judged> {
  const folder = await DaemonFolder.make();
  folder.environment['AGENTOPSD_TOKEN'] = TOKEN;
  try {
    await folder.startProcess({ workers: 2 });
    await before(folder);
    const pass = passer(folder.url);
    const read = async (path: string) => {
      const answer = await pass({ method: 'GET', path, query: '', headers: {}, body: Buffer.alloc(0) });
      return bodyOf(answer) as NonNullable<ReturnType<typeof bodyOf>>;
    };
    const front = await startFront(0, folder.url, together(variantsOf(names), { read }));
    try {
      return await judged('--url', front.url, ...words);
    } finally {
      await front.close();
      pass.close();
    }
  } finally {
    await folder.close();
  }
}

/** Started, killed and damaged by the program. */
export async function judgedByProfile(
  names: string,
  words: readonly string[],
  edit: (profile: WrittenProfile, folder: string) => void = () => {},
): Promise<Judged> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-varied-'));
  try {
    const profile = writeProfile(folder, VARIED_DAEMON, (written) => {
      Object.assign(written.start.env, { AGENTOPSD_VARIANTS: names });
      edit(written, folder);
    });
    return await judged('--profile', profile, ...words);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jobs of many kinds, some of which have ended, under names that somebody else chose. */
export async function use(folder: DaemonFolder): Promise<void> {
  const types = ['openclaw.snapshot', 'dream.run', 'wiki.forge', 'rpi.run'];
  const names = ['a job', 'ünïcode', 'with/slash', '"quoted"', 'jsc-of-another-run', '100% new'];
  const token = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const post = (route: string, body: object): Promise<Response> =>
    fetch(folder.url + route, { method: 'POST', headers: token, body: JSON.stringify(body) });
  for (const [index, name] of names.entries()) {
    const job_type = types[index % types.length];
    const body = { job_id: name, job_type, idempotency_key: `key of ${name}`, payload: { of: name } };
    const submitted = await post('/v1/jobs', body);
    if (submitted.status !== 202) throw new Error(`${submitted.status} ${await submitted.text()}`);
    await post('/v1/jobs', body);
    if (index % 2 === 0) await post('/v1/jobs/cancel', { job_id: name, request_id: `cancel-${index}`, reason: 'used' });
    await post('/v1/jobs', { job_type, payload: { anonymous: index } });
  }
}

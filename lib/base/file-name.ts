/**
 * A job id is the caller's and may hold anything, so it never becomes a path as it is. Where a file is named after a
 * job it is named `fileNameOf(job_id)`.
 *
 * Lower-case ASCII letters, digits, `-`, `_` and inner dots stand for themselves; every other byte of the UTF-8 is
 * written `%xx` (capitals too: some file systems don't tell them apart). A name that would pass `FILE_NAME_BYTES` is
 * cut and ends in `%+` and the SHA-256 of the whole id: still one name an id, though no longer reversible (`jobIdOf`
 * answers undefined; the id stands in the file's content).
 */
import { createHash } from 'node:crypto';

const FILE_NAME_BYTES = 160;
const CUT_MARK = '%+';

/** Nearly every id: all of it stands for itself. */
const PLAIN = /^[a-z0-9_-][a-z0-9_.-]*$/;

export function fileNameOf(jobId: string): string {
  if (jobId.length <= FILE_NAME_BYTES && PLAIN.test(jobId)) return jobId;
  const encoded = encode(jobId);
  if (encoded.length <= FILE_NAME_BYTES) return encoded;
  const digest = createHash('sha256').update(jobId, 'utf8').digest('hex');
  const room = FILE_NAME_BYTES - CUT_MARK.length - digest.length;
  return `${encoded.slice(0, room).replace(/%.?$/, '')}${CUT_MARK}${digest}`;
}

/** The job id that `name` stands for, or undefined when it was cut or is no such name. */
export function jobIdOf(name: string): string | undefined {
  if (name === '' || name.includes(CUT_MARK)) return undefined;
  const bytes = Buffer.from(
    name.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  const id = bytes.toString('utf8');
  return fileNameOf(id) === name ? id : undefined;
}

function encode(jobId: string): string {
  let name = '';
  for (const byte of Buffer.from(jobId, 'utf8')) {
    const letter = String.fromCharCode(byte);
    const plain = /[a-z0-9_-]/.test(letter) || (letter === '.' && name !== '');
    name += plain ? letter : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return name;
}

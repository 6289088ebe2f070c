/** What the system refuses for a reason that has nothing to do with what was asked, and that may be over in a moment. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EIO',
  'EAGAIN',
]);

/** @param errno such as `ENOSPC` */
export function isPassing(errno: string | undefined): boolean {
  return PASSING.has(errno);
}

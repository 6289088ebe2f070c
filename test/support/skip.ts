/**
 * The one way to leave something out: what the machine cannot do, said aloud. Inside a test:
 * `if (compiler === undefined) return skip('no C compiler: the power failure shim is not tried');`
 *
 * The line is the protocol: `SKIP `, then the reason, at the start of a line of the standard output. The runner counts
 * such lines and prints them at its end; with `--no-skips` they fail the file. `.skip` and `.only` always fail it.
 */
export function skip(reason: string): void {
  process.stdout.write(`\nSKIP ${reason.replace(/\s+/g, ' ').trim()}\n`);
}

/** Checks the whole ledger, line by line. */
import { counted, safeLine } from '../../base/text.js';
import { SOURCE_LEDGER } from '../../model/views.js';
import type { Verification } from '../../storage/verify.js';
import type { Invocation } from '../invocation.js';
import { verifyLedgerFiles } from '../ledger-files.js';
import { requireLaidDown } from '../place.js';
import type { Printer } from '../printer.js';

const FOUND = 1;

export async function perform({ place, environment, printer }: Invocation): Promise<number> {
  requireLaidDown(place);
  const verification = await verifyLedgerFiles(place, environment, (done, all) => {
    printer.progress(`${done} of ${all} events`);
  });
  printer.progress('');
  printer.answer('verify', asData(verification), () => tell(verification, printer));
  return verification.whole ? 0 : FOUND;
}

function asData({ whole, segments, events, lastEventId, macsChecked, findings, notes }: Verification): object {
  return {
    whole,
    segments,
    events,
    ...(lastEventId === undefined ? {} : { last_event_id: lastEventId }),
    macs_checked: macsChecked,
    findings: findings.map((finding) => ({ ...finding, file: pathOf(finding.file) })),
    notes: notes.map((note) => ({ ...note, file: pathOf(note.file) })),
  };
}

function tell({ whole, segments, events, macsChecked, findings, notes }: Verification, printer: Printer): void {
  const { red, green, dim, yellow } = printer.colours;
  for (const { file, line, what, meaning, repair } of findings) {
    printer.line(`${red('✗')} ${pathOf(file)}:${line}  ${safeLine(what)}`);
    printer.line(`    ${safeLine(meaning)}`);
    printer.line(`    ${dim('→')} ${safeLine(repair)}`);
  }
  for (const { file, what } of notes) printer.line(`${yellow('! note')} ${pathOf(file)}  ${safeLine(what)}`);
  const macs = macsChecked ? '' : '; whose batches are, was not checked: there is no key of this repository here';
  const verdict = whole ? green('✓ whole') : red(`✗ ${findings.length} found`);
  printer.line(`${verdict}  ${counted(events, 'event')} in ${counted(segments, 'segment')}${macs}`);
}

function pathOf(segment: string): string {
  return safeLine(`${SOURCE_LEDGER}/${segment}`);
}

/**
 * Where an answer goes. Standard output holds the answer alone: texts for people, or with `--json` one document
 * `{v, ok, kind, data}`, or for a stream one object a line. Everything else goes to standard error. No text of a caller
 * reaches a terminal but through `lib/base/text.ts`.
 */
import pc from 'picocolors';
import { type AgentopsdError, errorTable } from '../base/errors.js';
import { safeLine, safeText } from '../base/text.js';
import { relativeTime } from './times.js';

export type Colours = ReturnType<typeof pc.createColors>;
export type When = 'auto' | 'always' | 'never';

export interface PrinterOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: When;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

export class Printer {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether a person sees standard output as it comes. */
  readonly terminal: boolean;
  readonly colours: Colours;
  readonly errorColours: Colours;
  readonly #options: PrinterOptions;
  readonly #out: NodeJS.WriteStream;
  readonly #err: NodeJS.WriteStream;
  #wroteAnswer = false;

  constructor(options: PrinterOptions) {
    this.#options = options;
    this.json = options.json;
    this.quiet = options.quiet;
    this.#out = options.out;
    this.#err = options.err;
    this.terminal = options.out.isTTY === true;
    this.colours = pc.createColors(wantsColour(options, options.out));
    this.errorColours = pc.createColors(wantsColour(options, options.err));
  }

  /** The same without notes: for what asks again and again. */
  silenced(): Printer {
    return new Printer({ ...this.#options, quiet: true });
  }

  /** Whether standard error is a terminal: progress lines go there. */
  get errorTerminal(): boolean {
    return this.#err.isTTY === true;
  }

  /** A line of the answer, safe already but for what the caller coloured. */
  line(text: string): void {
    this.#write(`${text}\n`);
  }

  /** Text of several lines as it is, made safe here. */
  text(text: string): void {
    this.#write(safeText(text));
  }

  /** The one answer: a document with `--json`, otherwise what `tell` prints. */
  answer(kind: string, data: unknown, tell: () => void): void {
    if (this.json) this.#document({ v: 1, ok: true, kind, data });
    else tell();
  }

  /** One object of a stream, or one line for people. */
  item(object: object, tell: () => string): void {
    if (this.json) this.#document(object);
    else this.line(tell());
  }

  /** A remark on standard error, unless `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.#err.write(`${text}\n`);
  }

  /** A line of progress that the next one overwrites; on a terminal alone. */
  progress(text: string): void {
    if (this.errorTerminal && !this.quiet) this.#err.write(`\r\u001b[K${text}`);
  }

  /** A line on standard error whatever was asked for. */
  complain(text: string): void {
    this.#err.write(`${text}\n`);
  }

  /** What is wrong, where, and what to do next; as a document too, unless a stream has begun. */
  error(error: AgentopsdError): void {
    const { code, message, hint } = error.toData();
    if (this.json && !this.#wroteAnswer) {
      const exit = errorTable[code].exit;
      this.#document({
        v: 1,
        ok: false,
        kind: 'error',
        error: { code, message, ...(hint === undefined ? {} : { hint }), exit },
      });
    }
    const colours = this.errorColours;
    // A message of several lines lists several mistakes: each stays on a line of its own.
    this.complain(`${colours.red('✗ error')} ${message.split('\n').map(safeLine).join('\n        ')}`);
    if (hint !== undefined) this.complain(`  ${colours.dim('→')} ${safeLine(hint)}`);
  }

  /** Relative on a terminal, as it is elsewhere. */
  time(time: string | undefined): string {
    if (time === undefined) return '';
    return this.terminal ? relativeTime(time, Date.now()) : time;
  }

  /** Clears the terminal before the next picture of something watched. */
  clear(): void {
    if (this.terminal) this.#write('\u001b[H\u001b[2J\u001b[3J');
  }

  /** Resolves when the reader of standard output has taken what was written. */
  async drained(): Promise<void> {
    if (this.#out.writableNeedDrain) await new Promise<void>((resolve) => this.#out.once('drain', resolve));
  }

  /** Resolves when everything is with the system. */
  async flushed(): Promise<void> {
    for (const stream of [this.#out, this.#err])
      await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }

  /** One JSON text a line. Characters that steer a terminal are written as escapes, which JSON reads back the same. */
  #document(value: object): void {
    this.#write(`${safeLine(JSON.stringify(value))}\n`);
  }

  #write(text: string): void {
    this.#wroteAnswer = true;
    this.#out.write(text);
  }
}

function wantsColour({ color, environment }: PrinterOptions, stream: NodeJS.WriteStream): boolean {
  if (color !== 'auto') return color === 'always';
  if ((environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb') return false;
  return stream.isTTY === true;
}

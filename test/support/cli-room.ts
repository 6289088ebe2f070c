/**
 * A room for the command line: an empty repository and a state folder of its own, both temporary, in which `agentopsd`
 * runs as a process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';

export const MAIN = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

export interface Ran {
  /** Exit code; undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RanOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Sent once standard output has begun. */
  readonly signal?: NodeJS.Signals;
  /** Called with all of standard output so far; the signal is sent when it answers true. */
  readonly until?: (stdout: string) => boolean;
}

export interface RunningDaemon {
  readonly url: string;
  readonly pid: number;
  /** What it told on standard output when it was ready. */
  readonly ready: Record<string, unknown>;
  stderr(): string;
  /** Ends it with a signal and answers its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

const COMMAND_DEADLINE_MS = 30_000;

export class CliRoom {
  readonly folder: string;
  /** The repository. */
  readonly root: string;
  readonly #daemons = new Set<RunningDaemon>();

  private constructor(folder: string) {
    this.folder = folder;
    this.root = join(folder, 'repository');
  }

  static async open(): Promise<CliRoom> {
    const room = new CliRoom(await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-'))));
    await mkdir(room.root);
    return room;
  }

  async close(): Promise<void> {
    for (const daemon of this.#daemons) await daemon.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  get environment(): Record<string, string> {
    const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
    return {
      PATH,
      HOME,
      ...(TMPDIR === '' ? {} : { TMPDIR }),
      AGENTOPSD_STATE_DIR: join(this.folder, 'state'),
      LANG: 'C.UTF-8',
    };
  }

  /** Runs `agentopsd` to its end. */
  async run(words: readonly string[], options: RanOptions = {}): Promise<Ran> {
    const child = this.#start(words, options);
    const [stdout, stderr] = [collect(child, 'stdout'), collect(child, 'stderr')];
    const deadline = setTimeout(() => child.kill('SIGKILL'), COMMAND_DEADLINE_MS);
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
    if (options.until !== undefined || options.signal !== undefined) {
      const until = options.until ?? ((text: string) => text !== '');
      child.stdout?.on('data', () => {
        if (until(stdout())) child.kill(options.signal ?? 'SIGINT');
      });
    }
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    clearTimeout(deadline);
    return { status: code ?? undefined, signal: signal ?? undefined, stdout: stdout(), stderr: stderr() };
  }

  /** The same with `--json`: the one document, checked for its frame. */
  async json(
    kind: string,
    words: readonly string[],
    options: RanOptions & { readonly status?: number } = {},
  ): Promise<Record<string, unknown>> {
    const ran = await this.run([...words, '--json'], options);
    assert.is(ran.status, options.status ?? 0, `${words.join(' ')}: ${ran.stdout}${ran.stderr}`);
    const document = theDocument(ran.stdout);
    assert.equal(Object.keys(document), kind === 'error' ? ['v', 'ok', 'kind', 'error'] : ['v', 'ok', 'kind', 'data']);
    assert.is(document['v'], 1);
    assert.is(document['kind'], kind);
    assert.is(document['ok'], kind !== 'error');
    return (kind === 'error' ? document['error'] : document['data']) as Record<string, unknown>;
  }

  /** Starts `agentopsd run` on a free port and waits until it is ready. */
  async daemon(words: readonly string[] = [], options: RanOptions = {}): Promise<RunningDaemon> {
    const child = this.#start(['run', '--addr', '127.0.0.1:0', '--json', ...words], options);
    const [stdout, stderr] = [collect(child, 'stdout'), collect(child, 'stderr')];
    const ended = once(child, 'close') as Promise<[number | null, string | null]>;
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (stdout().includes('\n')) resolve();
      };
      child.stdout?.on('data', look);
      void ended.then(() => reject(new Error(`the daemon did not start: ${stdout()}${stderr()}`)));
    });
    const ready = theDocument(stdout())['data'] as Record<string, unknown>;
    const running: RunningDaemon = {
      url: String(ready['url']),
      pid: child.pid as number,
      ready,
      stderr,
      stop: async (signal = 'SIGTERM') => {
        this.#daemons.delete(running);
        child.kill(signal);
        const [code, by] = await ended;
        return code ?? (by as string);
      },
    };
    this.#daemons.add(running);
    return running;
  }

  #start(words: readonly string[], { env, cwd }: RanOptions): ChildProcess {
    return spawn(process.execPath, [MAIN, ...words], {
      cwd: cwd ?? this.root,
      env: { ...this.environment, ...env },
      stdio: 'pipe',
    });
  }
}

/** Standard output is one JSON document and nothing else. */
export function theDocument(stdout: string): Record<string, unknown> {
  const lines = stdout.split('\n');
  assert.is(lines.length, 2, `one line: ${stdout}`);
  assert.is(lines[1], '');
  return JSON.parse(lines[0] as string) as Record<string, unknown>;
}

/** One object a line. */
export function theStream(stdout: string): Record<string, unknown>[] {
  assert.ok(stdout === '' || stdout.endsWith('\n'));
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function collect(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  let text = '';
  child[name]?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return () => text;
}

/** A server whose process and data folder belong to this program: it may be killed, started again, and damaged. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotTested } from '../check.js';
import type { Profile, Start } from '../profile.js';
import { type Damage, damageLedger } from './damage.js';
import { freePort } from './ports.js';
import { killAllGroups, NoStart, type ProcessOptions, ServerProcess } from './server-process.js';
import { Target, type TargetOptions } from './target.js';

export interface StartOptions {
  /** No token is given to this start. */
  readonly withoutToken?: boolean;
  /** Nobody takes jobs. @throws NotTested by `start` where the profile has no such command */
  readonly withoutWorkers?: boolean;
  /** Largest file that it may write, in blocks of 512 bytes. */
  readonly fileBlocks?: number | undefined;
  /** Runs the command as the last arguments of this one. */
  readonly wrapper?: readonly string[];
}

export interface ServerOptions extends StartOptions {
  /** Made, but not started. */
  readonly stopped?: boolean;
}

const ADDRESS_TAKEN = /EADDRINUSE|address (is )?already in use/i;
const START_TRIES = 3;

/** Folders that are there: removed with this program, however it ends. */
const folders = new Set<string>();
process.once('exit', () => {
  killAllGroups();
  for (const folder of folders) remove(folder);
});

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.delete(folder);
}

export class OwnServer extends Target {
  readonly dataDir: string;
  readonly #profile: Profile;
  readonly #start: Start;
  readonly #secret: string;
  #options: StartOptions;
  #process: ServerProcess | undefined;
  #output = '';

  constructor(profile: Profile, start: Start, options: ServerOptions, target: Omit<TargetOptions, 'base'>) {
    super({ ...target, base: profile.baseUrl });
    this.#profile = profile;
    this.#start = start;
    this.#options = options;
    this.#secret = target.token ?? '';
    this.dataDir = mkdtempSync(join(tmpdir(), 'jobspec-conformance-'));
    folders.add(this.dataDir);
    if (start.seedDir !== undefined) cpSync(start.seedDir, this.dataDir, { recursive: true });
  }

  /** What all its processes printed. */
  get output(): string {
    return this.#output + (this.#process?.output ?? '');
  }

  get isRunning(): boolean {
    return this.#process?.isAlive === true;
  }

  /**
   * Starts it and waits until it answers; what `options` leaves out is as at the start before.
   * @throws NoStart
   */
  async start(options: StartOptions = {}): Promise<void> {
    this.#options = { ...this.#options, ...options };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#startOnce();
      } catch (error) {
        await this.kill();
        if (attempt === START_TRIES || !(error instanceof NoStart) || !ADDRESS_TAKEN.test(error.message)) throw error;
      }
    }
  }

  async #startOnce(): Promise<void> {
    const options = await this.#processOptions();
    this.carrier = { ...this.carrier, base: options.base };
    this.#process = new ServerProcess(options);
    this.watch.restarted();
    await this.#process.untilAnswers(options);
  }

  /** SIGKILL for the whole process group. */
  async kill(): Promise<void> {
    await this.#end((running) => running.kill());
  }

  /** Asks it to end, and kills what does not. */
  async stop(): Promise<void> {
    await this.#end((running) => running.stop());
  }

  /** SIGKILL and a new start on the same data. @throws NoStart */
  async crash(options: StartOptions = {}): Promise<void> {
    await this.kill();
    await this.start(options);
  }

  suspend(): void {
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#process?.signal('SIGCONT');
  }

  /**
   * Damages the ledger of a stopped server in one place; what monitors knew of its history is forgotten.
   * @throws NotTested where the profile does not say how
   */
  async damage(kind: Damage): Promise<void> {
    if (this.isRunning) throw new Error('only the ledger of a stopped server is damaged');
    await damageLedger(this.#profile, this.dataDir, kind);
    this.watch.forget({ views: false });
  }

  /** Ends it and removes its folder. */
  async dispose(): Promise<void> {
    this.resume();
    await this.stop();
    remove(this.dataDir);
  }

  async #end(how: (running: ServerProcess) => Promise<void>): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    await how(running);
    this.#output += running.output;
    this.#process = undefined;
  }

  async #processOptions(): Promise<ProcessOptions> {
    const { withoutToken, withoutWorkers, fileBlocks, wrapper = [] } = this.#options;
    const template = withoutWorkers === true ? this.#start.commandWithoutWorkers : this.#start.command;
    if (template === undefined) throw new NotTested('the profile has no start.command_without_workers');
    const port = choosesPort(this.#profile, this.#start)
      ? String(await freePort())
      : new URL(this.#profile.baseUrl).port;
    const token = withoutToken === true ? '' : this.#secret;
    const fill = (text: string): string =>
      text
        .replaceAll('{data_dir}', this.dataDir)
        .replaceAll('{port}', port)
        .replaceAll('{token}', token)
        .replaceAll('{profile_dir}', this.#profile.folder);
    const { [this.#profile.tokenEnv]: _, ...inherited } = process.env as Record<string, string>;
    const own = Object.entries(this.#start.env).map(([name, value]) => [name, fill(value)] as const);
    const given = Object.fromEntries(
      own.filter(([name]) => withoutToken !== true || !mentionsToken(this.#start, name)),
    );
    const secret = token === '' ? {} : { [this.#profile.tokenEnv]: token };
    return {
      command: [...wrapper, ...template.map(fill)],
      environment: { ...inherited, ...secret, ...given },
      base: baseWith(this.#profile.baseUrl, port),
      readyTimeoutMs: this.#start.readyTimeoutMs,
      fileBlocks,
    };
  }
}

function mentionsToken(start: Start, name: string): boolean {
  return start.env[name]?.includes('{token}') === true;
}

/** Whether each start may have a port of its own. */
export function choosesPort({ baseUrl }: Pick<Profile, 'baseUrl'>, { command, env }: Start): boolean {
  return [baseUrl, ...command, ...Object.values(env)].some((text) => text.includes('{port}'));
}

/** The address with this port, whether the profile left a place for it or named another. */
function baseWith(baseUrl: string, port: string): string {
  const url = new URL(baseUrl.replaceAll('{port}', port));
  url.port = port;
  return url.href.replace(/\/$/, '');
}

/** A repository with a daemon, a fake model behind it, and one of the real CLIs as the agent of `rpi.*`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { gitIn } from '../support/agent-room.js';
import { CliRoom, type RunningDaemon } from '../support/cli-room.js';
import { type ModelEndpoint, openModelEndpoint } from '../support/model-endpoint.js';
import type { CliName } from './machine.js';

const POLL_MS = 50;
const JOB_MS = 120_000;
/** Nobody listens there. */
const REFUSED = 'http://127.0.0.1:9';
export const IDLE_SECONDS = 25;

const tools = {
  edit: { command: 'echo edited >> edited.txt' },
  denied: { command: 'touch denied.txt', escalated: true },
  sleep: { command: 'setsid sleep 4711 & (setsid -f sleep 4712); sleep 4713 & echo started > tool.txt; sleep 4714' },
};

export class Stage {
  readonly room: CliRoom;
  readonly endpoint: ModelEndpoint;
  readonly #name: CliName;
  readonly #programs: string;
  daemon: RunningDaemon | undefined;

  static async open(name: CliName, programs: string, more: { refused?: boolean } = {}): Promise<Stage> {
    const room = await CliRoom.open();
    const endpoint = await openModelEndpoint({ tools });
    const stage = new Stage(room, endpoint, name, programs);
    mkdirSync(join(room.folder, 'home'));
    gitIn(room.root, 'init', '--quiet');
    mkdirSync(join(room.root, '.agents'));
    writeFileSync(join(room.root, '.agents/config.yaml'), configuration(name, more.refused ? REFUSED : endpoint.url));
    await stage.start();
    return stage;
  }

  private constructor(room: CliRoom, endpoint: ModelEndpoint, name: CliName, programs: string) {
    this.room = room;
    this.endpoint = endpoint;
    this.#name = name;
    this.#programs = programs;
  }

  get environment(): Record<string, string> {
    return {
      HOME: join(this.room.folder, 'home'),
      PATH: `${this.#programs}${delimiter}${process.env['PATH'] ?? ''}`,
      FAKE_KEY: 'a-key-that-opens-nothing',
      ANTHROPIC_API_KEY: 'a-key-that-opens-nothing',
      ...(this.#name === 'claude' ? { ANTHROPIC_BASE_URL: baseUrlOf(this.room.root) } : {}),
    };
  }

  async start(): Promise<RunningDaemon> {
    this.daemon = await this.room.daemon(['--trust'], { env: this.environment });
    return this.daemon;
  }

  get pids(): number[] {
    return this.daemon === undefined ? [] : [this.daemon.pid];
  }

  path(...parts: string[]): string {
    return join(this.room.root, ...parts);
  }

  /** @returns the job's id */
  async submit(goal: string, type = 'rpi.run'): Promise<string> {
    const payload = JSON.stringify(type === 'rpi.run' ? { goal, max_phase: 1 } : { goal });
    const submitted = await this.room.json('submitted', ['submit', '--type', type, '--payload', payload]);
    return String(submitted['job_id']);
  }

  show(id: string): Promise<JsonObject> {
    return this.room.json('job', ['show', id]) as Promise<JsonObject>;
  }

  async ended(id: string): Promise<JsonObject> {
    return this.until('the job ends', async () => {
      const job = await this.show(id);
      return ['completed', 'failed', 'cancelled'].includes(String(job['status'])) ? job : undefined;
    });
  }

  async until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const end = performance.now() + JOB_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`not within ${JOB_MS} ms: ${what}; ${this.daemon?.stderr() ?? ''}`);
      await sleep(POLL_MS);
    }
  }

  /** `result.json` of an attempt's run of the agent; undefined while there is none. */
  result(id: string, attempt = 1): JsonObject | undefined {
    const path = this.path('.agents/runs', id, `attempt-${attempt}`, 'artifacts/phase-1/result.json');
    if (!existsSync(path)) return undefined;
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isJsonObject(value) ? value : undefined;
  }

  async close(): Promise<void> {
    await this.endpoint.close();
    await this.room.close();
  }
}

function baseUrlOf(root: string): string {
  return /^# (\S+)$/m.exec(readFileSync(join(root, '.agents/config.yaml'), 'utf8'))?.[1] ?? '';
}

/**
 * Codex shields `.git` and `.agents` below each folder that its sandbox may write to, and when it is killed their empty
 * places stay: not in everybody's /tmp.
 *
 * `rpi.run` may write; `rpi.phase` asks for each tool, and nobody answers.
 */
function configuration(name: CliName, url: string): string {
  const provider = `model_providers.fake={name="fake",base_url="${url}/v1",wire_api="responses",env_key="FAKE_KEY"}`;
  const limits = `timeout_seconds: 100, idle_seconds: ${IDLE_SECONDS}`;
  const lines =
    name === 'claude'
      ? [
          `  claude: { command: [claude], env: [ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL], ${limits} }`,
          `  asked: { command: [claude, --permission-mode, default], env: [ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL], ${limits} }`,
        ]
      : ['codex', 'asked'].map(
          (agent) =>
            `  ${agent}: { command: [codex, exec, -c, model_provider="fake", -c, '${provider}', -c, sandbox_workspace_write.exclude_slash_tmp=true], env: [FAKE_KEY], ${limits} }`,
        );
  return [
    `# ${url}`,
    'queue: { cancel_grace_seconds: 3 }',
    'executors:',
    `  rpi.run: { agent: ${name} }`,
    '  rpi.phase: { agent: asked }',
    'agents:',
    ...lines,
    '',
  ].join('\n');
}

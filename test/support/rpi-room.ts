/** A git repository with a workshop in it, whose agents are fakes: for tests of `rpi.*`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../lib/base/json.js';
import type { Job } from '../../lib/model/job.js';
import { gitIn } from './agent-room.js';
import { fakeAgentCommand } from './fake-agent-cli.js';
import { Workshop } from './workshop.js';

type RpiType = 'rpi.run' | 'rpi.phase';

export class RpiRoom {
  readonly shop: Workshop;

  static async open(): Promise<RpiRoom> {
    const room = new RpiRoom(await Workshop.open({ workers: 1 }));
    room.git('init', '--quiet');
    writeFileSync(join(room.shop.root, '.gitignore'), '.agents/\ntools/\n');
    writeFileSync(join(room.shop.root, 'a.txt'), 'one\n');
    room.git('add', '.');
    room.git('commit', '--quiet', '-m', 'first');
    return room;
  }

  private constructor(shop: Workshop) {
    this.shop = shop;
  }

  /** With `claude` as the agent of both types, unless told otherwise. */
  start({
    agent = 'claude',
    commands = false,
  }: {
    agent?: 'claude' | 'codex' | 'none';
    commands?: boolean;
  } = {}): void {
    const executor = { kind: 'agent', agent } as const;
    const limits = { env: [], timeout_seconds: 30, idle_seconds: 30 };
    this.shop.configuration = {
      ...this.shop.configuration,
      allow_payload_commands: commands,
      agents: {
        claude: { command: fakeAgentCommand('claude'), ...limits },
        codex: { command: fakeAgentCommand('codex'), ...limits },
      },
      executors: agent === 'none' ? {} : { 'rpi.run': executor, 'rpi.phase': executor },
    };
    this.shop.start();
  }

  async ended(payload: JsonObject, type: RpiType = 'rpi.run'): Promise<Job> {
    const id = await this.shop.submit(payload, type);
    await this.shop.until(() => ['completed', 'failed'].includes(this.shop.job(id).status), `${id} ends`);
    return this.shop.job(id);
  }

  text(job: Job, name: string): string {
    return readFileSync(join(this.shop.root, job.artifacts?.[name] ?? name), 'utf8');
  }

  object(job: Job, name: string): JsonObject {
    return JSON.parse(this.text(job, name)) as JsonObject;
  }

  git(...args: readonly string[]): string {
    return gitIn(this.shop.root, ...args);
  }

  close(): Promise<void> {
    return this.shop.close();
  }
}

/**
 * Where the daemon of a repository listens, and what token it takes: from the command line, the environment, or the
 * state folder; never from a file below the root, which may have come with a clone.
 */
import { AgentopsdError } from '../base/errors.js';
import { type Client, createClient } from '../client/client.js';
import type { Transport } from '../client/transport.js';
import { readActivation } from '../storage/activation.js';
import type { Disk } from '../storage/disk.js';
import { findHome, type Home } from '../storage/home.js';
import { createNodeDisk } from '../storage/node-disk.js';
import { loadTokens } from '../storage/token-file.js';
import type { Environment, Invocation } from './invocation.js';
import type { Place } from './place.js';

export interface DaemonAddress {
  readonly url: string;
  /** Somebody named it: then it is this one or none. */
  readonly named: boolean;
}

/** How long a lost answer is asked for again, and how long one exchange may take. */
const RETRY_FOR_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Undefined where no daemon is known to run. */
export async function findAddress({ flags, environment, place }: Invocation): Promise<DaemonAddress | undefined> {
  const named = flags.text('url') ?? filled(environment['AGENTOPSD_URL']);
  if (named !== undefined) return { url: named, named: true };
  const disk = createNodeDisk();
  const home = await homeOf(disk, place, environment);
  const activation = home === undefined ? undefined : await readActivation(disk, home);
  return activation !== undefined && lives(activation.pid) ? { url: activation.url, named: false } : undefined;
}

/**
 * @param transport default: the general `fetch`
 * @throws AgentopsdError `daemon_unreachable` where no daemon is known to run
 */
export async function requireClient(invocation: Invocation, transport?: Transport): Promise<Client> {
  const address = await findAddress(invocation);
  if (address !== undefined) return clientAt(invocation, address, transport);
  throw new AgentopsdError('daemon_unreachable', `no daemon runs for ${invocation.place.root}`, {
    hint: 'start one with: agentopsd run',
  });
}

export async function clientAt(
  { environment, place }: Invocation,
  { url }: DaemonAddress,
  transport?: Transport,
): Promise<Client> {
  const disk = createNodeDisk();
  const home = await homeOf(disk, place, environment);
  const tokens = await loadTokens({ disk, env: environment, tokenFile: undefined, home });
  const token = tokens[0]?.token;
  return createClient({
    url,
    token,
    retryForMs: RETRY_FOR_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ...(transport && { transport }),
  });
}

/** Where nothing was laid down there is no repository, so there is nothing that a home could be of. */
async function homeOf(disk: Disk, { root, laidDown }: Place, environment: Environment): Promise<Home | undefined> {
  return laidDown ? findHome({ disk, root, env: environment }) : undefined;
}

/** After a kill -9 the address may belong to somebody else by now, so it counts only while its process lives. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

/**
 * Lays down what a repository needs before its first job: the template's files below `.agents`, and in the state folder
 * the home with its token. Nothing that is there is changed, so it may run again at any time. A configuration that was
 * written here is trusted as it stands: nobody else had a hand in it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import { CONFIGURATION_FILE, defaultConfiguration, parseConfiguration } from '../model/configuration.js';
import { createFile, type FileSeams, SHARED_FOLDER } from '../storage/atomic-file.js';
import { DiskError } from '../storage/disk.js';
import { refuseLinksBelow } from '../storage/folder.js';
import { type Environment, findHome, type Home, openHome, stateFolderOf } from '../storage/home.js';
import { layoutOf } from '../storage/layout.js';
import { createNodeDisk } from '../storage/node-disk.js';
import { createNodeRandom } from '../storage/node-random.js';
import { homeTokenPath, makeToken } from '../storage/token-file.js';
import { trustConfiguration } from '../storage/trust.js';
import { firstSight } from './inbox-folder.js';

export interface SetupOptions {
  /** Any path of the repository; its real path is taken. */
  readonly root: string;
  readonly environment: Environment;
  /** Tells what would be made and makes nothing. */
  readonly dryRun?: boolean;
}

export interface LaidFile {
  /** Relative to the root, or absolute where it stands in the state folder. */
  readonly path: string;
  readonly state: 'made' | 'kept' | 'would_make';
}

export interface Setup {
  /** Real path. */
  readonly root: string;
  readonly stateFolder: string;
  readonly files: readonly LaidFile[];
}

/** A package drops files named `.gitignore`, so the template has them without the dot. */
const template = [
  { from: 'config.yaml', to: CONFIGURATION_FILE },
  { from: 'gitignore', to: '.agents/.gitignore' },
  { from: 'gitattributes', to: '.agents/.gitattributes' },
] as const;

const TEMPLATE_FOLDER = new URL('../../../.agents-template/', import.meta.url);
const PUBLIC_FILE = 0o644;

/** @throws AgentopsdError `folder_unusable`, naming the folder */
export async function setUp(options: SetupOptions): Promise<Setup> {
  const disk = createNodeDisk();
  const seams: FileSeams = { disk, random: createNodeRandom() };
  const root = await disk.realPath(options.root);
  try {
    return options.dryRun === true ? await planned(root, options, seams) : await laidDown(root, options, seams);
  } catch (error) {
    throw error instanceof DiskError ? unusable(root, error) : error;
  }
}

async function planned(root: string, { environment }: SetupOptions, seams: FileSeams): Promise<Setup> {
  refuseLinksBelow(seams.disk, root, layoutOf(root).agents);
  const home = await findHome({ disk: seams.disk, root, env: environment });
  const stateFolder = home?.folder ?? stateFolderOf(root, environment);
  const paths = [
    ...template.map(({ to }) => ({ path: to, at: join(root, to) })),
    { path: join(stateFolder, 'token'), at: join(stateFolder, 'token') },
  ];
  const files = paths.map(
    ({ path, at }): LaidFile => ({ path, state: seams.disk.factsSync(at) === undefined ? 'would_make' : 'kept' }),
  );
  return { root, stateFolder, files };
}

/** The home first: where it can't be made, nothing is laid down. */
async function laidDown(root: string, { environment }: SetupOptions, seams: FileSeams): Promise<Setup> {
  const { disk } = seams;
  const home = await openHome({ disk, random: seams.random, root, env: environment });
  const { agents } = layoutOf(root);
  refuseLinksBelow(disk, root, agents);
  await disk.makeFolder(agents, SHARED_FOLDER);
  const files: LaidFile[] = [];
  for (const { from, to } of template) {
    const content = await readFile(new URL(from, TEMPLATE_FOLDER), 'utf8');
    const made = await layFile(seams, join(root, to), content);
    if (made && to === CONFIGURATION_FILE) await trustOwn(seams, home, content);
    files.push({ path: to, state: made ? 'made' : 'kept' });
  }
  await firstSight(seams, home);
  const tokenMade = await makeToken(seams, home);
  files.push({ path: homeTokenPath(home), state: tokenMade ? 'made' : 'kept' });
  return { root, stateFolder: home.folder, files };
}

/**
 * Before something is dropped into the inbox: what lies there by now came with the repository, what comes next did not.
 * Whoever works in a sandbox may be unable to write the state folder; then a daemon that never saw this inbox will pass
 * the file by, and say so.
 */
export async function seeInbox({ root, environment }: Pick<SetupOptions, 'root' | 'environment'>): Promise<boolean> {
  const seams: FileSeams = { disk: createNodeDisk(), random: createNodeRandom() };
  try {
    const home = await openHome({ ...seams, root, env: environment });
    await firstSight(seams, home);
    return true;
  } catch (error) {
    if (error instanceof DiskError || error instanceof AgentopsdError) return false;
    throw error;
  }
}

/** Whatever stands under the name, a link too, is kept. */
async function layFile(seams: FileSeams, path: string, content: string): Promise<boolean> {
  if (seams.disk.factsSync(path) !== undefined) return false;
  return createFile(seams, path, content, { permissions: PUBLIC_FILE });
}

async function trustOwn(seams: FileSeams, home: Home, content: string): Promise<void> {
  const { configuration = defaultConfiguration() } = parseConfiguration(content);
  await trustConfiguration(seams, home, configuration.declared);
}

function unusable(root: string, error: DiskError): AgentopsdError {
  return new AgentopsdError('folder_unusable', `${root} can't be set up: ${error.message}`, {
    hint: 'make it a folder that you may write to, with room on its disk',
    cause: error,
  });
}

/**
 * `.agents/runs/<job>/attempt-<n>/`: what one attempt leaves. `<job>` is `fileNameOf(job_id)`. Folders are made one by
 * one, and one that is a symbolic link is refused: a repository can deliver anything below its root.
 */
import { lstat, mkdir, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import { fileNameOf } from '../base/file-name.js';
import { isPassing } from '../base/passing-errno.js';

const RUNS = ['.agents', 'runs'];
const RUNS_BELOW = `${sep}${RUNS.join(sep)}`;
const OUTPUT_LOG = 'output.log';
const PRIVATE_FOLDER = 0o700;

/** @param root real path of the repository, as all that is asked here: what is put together needs no second look */
export function runsFolder(root: string): string {
  return root + RUNS_BELOW;
}

/** Absolute path of the folder of a job's runs. */
export function jobRunsFolder(root: string, jobId: string): string {
  return `${runsFolder(root)}${sep}${fileNameOf(jobId)}`;
}

export function attemptFolder(root: string, jobId: string, attempt: number): string {
  return `${jobRunsFolder(root, jobId)}${sep}attempt-${attempt}`;
}

/** Absolute path of the output of an attempt, whether it is there or not. */
export function outputLogOf(root: string, jobId: string, attempt: number): string {
  return outputLogIn(attemptFolder(root, jobId, attempt));
}

export function outputLogIn(folder: string): string {
  return folder + sep + OUTPUT_LOG;
}

/**
 * Makes the folder of an attempt, empty. What stood under its name came from elsewhere, and goes.
 * @throws AgentopsdError `folder_unusable`; the system's error where that may pass, as on a full disk
 */
export async function prepareRunFolder(root: string, jobId: string, attempt: number): Promise<string> {
  const folder = attemptFolder(root, jobId, attempt);
  await makeFoldersInside(root, [...RUNS, fileNameOf(jobId)]);
  try {
    await mkdir(folder, { mode: PRIVATE_FOLDER });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw unusable(folder, error);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: PRIVATE_FOLDER });
  }
  return folder;
}

/** Makes `parts` below `root`, one in the other. @throws AgentopsdError `folder_unusable`; the system's error where that may pass */
export async function makeFoldersInside(root: string, parts: readonly string[]): Promise<string> {
  let folder = root;
  for (const part of parts) {
    folder = join(folder, part);
    try {
      await mkdir(folder, { mode: PRIVATE_FOLDER });
      continue;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw unusable(folder, error);
    }
    if (!(await lstat(folder)).isDirectory()) throw unusable(folder, 'it is no folder, or a link to one');
  }
  return folder;
}

function unusable(folder: string, cause: unknown): unknown {
  if (isPassing(errnoOf(cause))) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AgentopsdError('folder_unusable', `${folder} can't be used: ${why}`, {
    hint: 'make it a folder that you may write to',
  });
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

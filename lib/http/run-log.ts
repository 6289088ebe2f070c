/**
 * `GET /v1/jobs/{id}/log`: the output of an attempt as plain text; with `?follow=1` it goes on until the job has ended.
 * Files below the root may have come with the repository: the log is opened only when no folder on its way is a link,
 * and only as a regular file of our own (the disk seam sees to that).
 */
import { dirname, relative, sep } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { isTerminal } from '../model/job.js';
import type { DiskFile } from '../storage/disk.js';
import { beginStream } from './answers.js';
import type { HttpDependencies } from './dependencies.js';
import type { Exchange, Handler, HttpService } from './exchange.js';
import { namedJob } from './job.js';
import { type Outflow, outflowOf } from './outflow.js';
import { flag, wholeNumber } from './query.js';

export const jobLog: Handler = async (exchange, service) => {
  const job = namedJob(exchange, service);
  const attempt = wholeNumber(exchange.query, 'attempt');
  if (attempt === 0) throw new AgentopsdError('invalid_request', 'attempt must be a whole number from 1 up');
  const follows = flag(exchange.query, 'follow');
  const begun = attempt ?? job.attempt;
  const first = await openLog(service.dependencies, job.job_id, begun || undefined);
  beginStream(exchange, 'text/plain; charset=utf-8');
  const outflow = outflowOf(exchange, service);
  if (exchange.request.method === 'HEAD') await first?.close();
  else if (follows) await new LogFollower(exchange, service, job.job_id, attempt).run(begun, first);
  else if (first !== undefined) await sendWhole(first, outflow);
  outflow.end();
};

async function openLog(
  dependencies: HttpDependencies,
  jobId: string,
  attempt: number | undefined,
): Promise<DiskFile | undefined> {
  const path = await dependencies.runLog(jobId, attempt);
  if (path === undefined) return undefined;
  checkFolders(dependencies, path);
  return dependencies.disk.factsSync(path) === undefined ? undefined : await dependencies.disk.open(path, 'read');
}

/** @throws AgentopsdError `file_unsafe` when a folder between the root and the file is a link, or the file is elsewhere */
function checkFolders({ disk, root }: HttpDependencies, path: string): void {
  const parts = relative(root, dirname(path)).split(sep);
  if (parts[0] === '..') throw new AgentopsdError('file_unsafe', 'the log stands outside the root');
  let folder = root;
  for (const part of parts) {
    folder = `${folder}${sep}${part}`;
    const kind = disk.factsSync(folder)?.kind;
    if (kind !== undefined && kind !== 'folder') {
      throw new AgentopsdError(
        'file_unsafe',
        `${relative(root, folder)} is no folder but a ${kind}: it is not followed`,
      );
    }
  }
}

async function sendWhole(file: DiskFile, outflow: Outflow): Promise<void> {
  try {
    await sendFrom(file, 0, outflow);
  } finally {
    await file.close();
  }
}

/** Sends what stands behind `position`; answers where it came to, or undefined when the reader is gone. */
async function sendFrom(file: DiskFile, position: number, outflow: Outflow): Promise<number | undefined> {
  for (let at = position; ; ) {
    const piece = await file.read(at, limits.httpPieceBytes);
    if (piece.length === 0) return at;
    if (!(await outflow.write(piece))) return undefined;
    at += piece.length;
  }
}

/** Follows the output of one attempt, or of each in turn when none is named. */
class LogFollower {
  readonly #exchange: Exchange;
  readonly #service: HttpService;
  readonly #jobId: string;
  readonly #attempt: number | undefined;

  constructor(exchange: Exchange, service: HttpService, jobId: string, attempt: number | undefined) {
    this.#exchange = exchange;
    this.#service = service;
    this.#jobId = jobId;
    this.#attempt = attempt;
  }

  /** @param begun the attempt that `first` is the output of */
  async run(begun: number, first: DiskFile | undefined): Promise<void> {
    let file = first;
    let attempt = begun;
    let position: number | undefined = 0;
    const outflow = outflowOf(this.#exchange, this.#service);
    this.#exchange.response.flushHeaders();
    try {
      while (position !== undefined && !this.#service.closing.aborted) {
        // Asked before the read: what is written before the end is then still read.
        const isOver = this.#isOver();
        const current = this.#now();
        // Before its first claim there was nothing to follow: no attempt is left for another.
        if (attempt === 0) attempt = current;
        file ??= await openLog(this.#service.dependencies, this.#jobId, attempt || undefined);
        // A log that has reached its limit becomes shorter now and then: what follows is read from its new end.
        if (file !== undefined)
          position = await sendFrom(file, Math.min(position, file.factsSync().sizeBytes), outflow);
        if (current === attempt && isOver) return;
        if (current === attempt) await this.#pause();
        else [file, attempt, position] = [await closed(file), current, position === undefined ? undefined : 0];
      }
    } finally {
      await file?.close();
    }
  }

  #now(): number {
    return this.#attempt ?? this.#service.dependencies.kernel.state.job(this.#jobId)?.attempt ?? 0;
  }

  #isOver(): boolean {
    const job = this.#service.dependencies.kernel.state.job(this.#jobId);
    return job === undefined || isTerminal(job) || (this.#attempt !== undefined && job.attempt > this.#attempt);
  }

  /** Until it is time to look again, the reader is gone, or the server closes. */
  #pause(): Promise<void> {
    const { response } = this.#exchange;
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        response.off('close', finish);
        this.#service.closing.removeEventListener('abort', finish);
        resolve();
      };
      const cancel = this.#service.dependencies.clock.after(limits.logFollowMs, finish);
      response.on('close', finish);
      this.#service.closing.addEventListener('abort', finish);
    });
  }
}

async function closed(file: DiskFile | undefined): Promise<undefined> {
  await file?.close();
  return undefined;
}

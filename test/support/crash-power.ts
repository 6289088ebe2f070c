/**
 * A loss of power for daemons on real files: the shim (`crash-power.c`) writes down what was synced, and after the kill
 * what was not is taken away, all of it or at random: sectors of 512 bytes, sizes and names each by itself, as a disk
 * may do it.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Chance } from './crash-chance.js';
import { type FileNode, type Node, PowerTree, renamed, seenBytes, seenNames } from './crash-power-log.js';

// The source is not compiled into the build: it is read where it stands.
const SOURCE = fileURLToPath(new URL('../../../test/support/crash-power.c', import.meta.url));
const SECTOR_BYTES = 512;

/** Path of the compiled shim; undefined where it can't be had, with the reason told. */
export function compileShim(folder: string, told: (reason: string) => void): string | undefined {
  if (process.platform !== 'linux') {
    told(`the power failure shim is for Linux, not for ${process.platform}`);
    return undefined;
  }
  const shim = join(folder, 'crash-power.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, SOURCE, '-ldl', '-lpthread'], { stdio: 'pipe' });
    return shim;
  } catch (error) {
    told(`no C compiler that makes the power failure shim: ${String(error).split('\n')[0]}`);
    return undefined;
  }
}

/** `none`: nothing unsynced survives. `all`: everything does. `order`: names up to one moment. `any`: each by itself. */
export const survivals = ['none', 'all', 'order', 'any'] as const;
export type Survival = (typeof survivals)[number];

export class PowerCut {
  readonly #folder: string;
  readonly #tree: PowerTree;

  /** Before the process starts: all that stands in `folder` is durable. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#tree = new PowerTree(folder);
  }

  /** What differs between the files and the log: empty, or the shim missed a call and is worth nothing. */
  differences(log: string): string[] {
    this.#tree.apply(fs.readFileSync(log));
    const found = this.#tree.unknown.map((call) => `unknown call: ${call}`);
    compare(this.#tree.top, this.#folder, found);
    return found;
  }

  /**
   * After the kill: puts the folder into a state that it may have behind a loss of power.
   * @returns how many bytes and names were unsynced, and how many of the bytes are there still
   */
  lose(log: string, survival: Survival, chance: Chance): { names: number; bytes: number } {
    this.#tree.apply(fs.readFileSync(log));
    if (this.#tree.unknown.length > 0) throw new Error(`calls that the shim can't follow: ${this.#tree.unknown}`);
    const lost = { names: 0, bytes: 0 };
    const state = surviving(this.#tree.top, survival, chance, lost);
    for (const name of fs.readdirSync(this.#folder)) {
      fs.rmSync(join(this.#folder, name), { recursive: true, force: true });
    }
    if (state instanceof Map) layDown(this.#folder, state, new Map());
    return lost;
  }
}

/** A folder with its entries, or a file by its node, so that a file with two names stays one. */
type Surviving = Map<string, Surviving> | { node: FileNode; bytes: Buffer };

function surviving(node: Node, survival: Survival, chance: Chance, lost: { names: number; bytes: number }): Surviving {
  const files = new Map<FileNode, Surviving>();
  const look = (at: Node): Surviving => {
    if (at.kind === 'file') {
      const known = files.get(at) ?? { node: at, bytes: survivingBytes(at, survival, chance, lost) };
      files.set(at, known);
      return known;
    }
    const until = chance.below(at.unsynced.length + 1);
    const names = at.unsynced
      .filter((_, index) => {
        const stays =
          survival === 'all' ||
          (survival === 'order' && index < until) ||
          (survival === 'any' && chance.below(2) === 0);
        if (!stays) lost.names += 1;
        return stays;
      })
      .reduce(renamed, at.durable);
    return new Map([...names].map(([name, inner]) => [name, look(inner)]));
  };
  return look(node);
}

function survivingBytes(
  file: FileNode,
  survival: Survival,
  chance: Chance,
  lost: { names: number; bytes: number },
): Buffer {
  if (file.unsynced.length === 0 || survival === 'none') {
    lost.bytes += file.unsynced.reduce((sum, change) => sum + ('data' in change ? change.data.length : 0), 0);
    return file.durable;
  }
  const seen = seenBytes(file);
  if (survival === 'all') return seen;
  const sizes = [file.durable.length, seen.length, chance.between(file.durable.length, seen.length)];
  const result = Buffer.alloc(sizes[chance.below(sizes.length)] as number);
  for (let at = 0; at < result.length; at += SECTOR_BYTES) {
    const end = Math.min(at + SECTOR_BYTES, result.length);
    const old = chance.below(2) === 0;
    result.set((old ? file.durable : seen).subarray(at, end), at);
    if (old && !seen.subarray(at, end).equals(result.subarray(at, end))) lost.bytes += end - at;
  }
  return result;
}

function layDown(folder: string, names: Map<string, Surviving>, laid: Map<FileNode, string>): void {
  for (const [name, what] of names) {
    const path = join(folder, name);
    if (what instanceof Map) {
      fs.mkdirSync(path, { mode: 0o700 });
      layDown(path, what, laid);
      continue;
    }
    const first = laid.get(what.node);
    if (first === undefined) {
      fs.writeFileSync(path, what.bytes);
      fs.chmodSync(path, what.node.mode);
      laid.set(what.node, path);
    } else fs.linkSync(first, path);
  }
}

function compare(node: Node, path: string, found: string[]): void {
  if (node.kind === 'file') {
    const there = fs.readFileSync(path);
    const known = seenBytes(node);
    if (!there.equals(known)) found.push(`${path}: ${there.length} bytes, by the log ${known.length}`);
    return;
  }
  const names = seenNames(node);
  const there = fs.readdirSync(path);
  for (const name of there) if (!names.has(name)) found.push(`${join(path, name)}: not in the log`);
  for (const [name, inner] of names) {
    if (there.includes(name)) compare(inner, join(path, name), found);
    else found.push(`${join(path, name)}: in the log alone`);
  }
}

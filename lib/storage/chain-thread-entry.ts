/** The thread behind `node-chain-thread.ts`: blocks of lines come, one answer goes for each, and one at the end. */
import { parentPort } from 'node:worker_threads';
import { ChainCheck, type Looking } from './chain-check.js';

export type ChainOrder =
  | { readonly kind: 'begin'; readonly run: number; readonly hash: string; readonly looking: Looking }
  | { readonly kind: 'lines'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

export type ChainAnswer = { readonly kind: 'taken' | 'ended'; readonly run: number; readonly fits: boolean };

let check: ChainCheck | undefined;
let run = 0;

parentPort?.on('message', (order: ChainOrder) => {
  if (order.kind === 'begin') {
    check = new ChainCheck(order.hash, order.looking);
    run = order.run;
  } else if (order.kind === 'lines') {
    const { buffer, byteOffset, byteLength } = order.bytes;
    check?.take(Buffer.from(buffer, byteOffset, byteLength));
    answer('taken');
  } else answer('ended');
});

function answer(kind: ChainAnswer['kind']): void {
  parentPort?.postMessage({ kind, run, fits: check?.isBroken === false } satisfies ChainAnswer);
}

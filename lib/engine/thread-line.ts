/**
 * The line between a slot and its thread: one channel for all tasks that the thread gets, since a channel for each would
 * cost more than a short task does. Every message names its task; what is said about one that is over is not heard.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import type { Said, ToMain, ToWorker } from '../model/worker-protocol.js';

export class ThreadLine {
  /** The thread that has the other end. */
  thread: Worker | undefined;
  /** The other end, to be handed over once. */
  readonly threadPort: MessagePort;
  readonly #port: MessagePort;
  #listener: { readonly serial: number; readonly onMessage: (message: ToMain) => void } | undefined;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.threadPort = port2;
    port1.on('message', (said: Said<ToMain>) => this.#hear(said));
    // The thread itself keeps the process alive, as long as it is to.
    port1.unref();
  }

  /** From now on `onMessage` is told what the thread says about this task. */
  take(serial: number, onMessage: (message: ToMain) => void): void {
    this.#listener = { serial, onMessage };
  }

  say(said: Said<ToWorker>): void {
    this.#port.postMessage(said);
  }

  /**
   * The task has answered, or its thread is gone. What it said before that may still stand in the channel: this one and
   * the channel of the answer keep no common order.
   */
  finish(): void {
    for (let entry = receiveMessageOnPort(this.#port); entry !== undefined; entry = receiveMessageOnPort(this.#port)) {
      this.#hear(entry.message as Said<ToMain>);
    }
    this.#listener = undefined;
  }

  close(): void {
    this.#port.close();
  }

  #hear({ serial, message }: Said<ToMain>): void {
    if (this.#listener?.serial === serial) this.#listener.onMessage(message);
  }
}

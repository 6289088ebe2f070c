/** A route that let some requests wait in vain is not waited for as long again: one that hangs costs a run little. */
import { type Ask, type Exchange, NoAnswer, routeOf } from './exchange.js';

const PATIENT_TRIES = 3;
const IMPATIENT_MS = 5_000;

export class Patience {
  /** By path: requests that had no answer in time. */
  readonly #inVain = new Map<string, number>();

  /** @throws NoAnswer, and whatever `exchange` throws */
  async with(ask: Ask, exchange: (bounded: Ask) => Promise<Exchange>): Promise<Exchange> {
    const route = routeOf(ask);
    const inVain = this.#inVain.get(route) ?? 0;
    try {
      return await exchange(inVain < PATIENT_TRIES ? ask : { timeoutMs: IMPATIENT_MS, ...ask });
    } catch (error) {
      if (error instanceof NoAnswer && error.isLate) this.#inVain.set(route, inVain + 1);
      throw error;
    }
  }
}

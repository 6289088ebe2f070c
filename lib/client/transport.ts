/**
 * How requests reach a daemon: as much of `fetch` as an exchange needs, so that what carries many short ones need not be
 * all of it.
 */
export interface Sent {
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** From the call to the end of the answer's body; undefined: no limit. */
  readonly timeoutMs?: number | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  /** Null where the answer has none. */
  readonly body: AsyncIterable<Uint8Array> | null;
  text(): Promise<string>;
}

/**
 * Rejects with the signal's reason when it aborts, with a `TimeoutError` when the time is up, and otherwise with an error
 * whose cause is the system's.
 * @param path with its query, percent-encoded
 */
export type Transport = (origin: string, path: string, sent: Sent) => Promise<Answer>;

export const overFetch: Transport = (origin, path, { method, headers, body, signal, timeoutMs }) => {
  const signals = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
  return fetch(origin + path, {
    method,
    headers,
    redirect: 'error',
    signal: AbortSignal.any(signals.filter((one) => one !== undefined)),
    ...(body === undefined ? {} : { body }),
  });
};

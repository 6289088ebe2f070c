/** Durations and moments as people write and read them. */

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `90s`, `1.5h`, `1h30m`; a bare number is seconds. Undefined when it is none. */
export function readDurationMs(text: string): number | undefined {
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Number(text) * 1_000;
  if (!/^(\d{1,9}(\.\d{1,3})?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let durationMs = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    durationMs += Number(number) * (UNITS_MS[unit as string] as number);
  return durationMs;
}

/** RFC 3339, or a duration before `nowMs`. Milliseconds since 1970, or undefined. */
export function readMomentMs(text: string, nowMs: number): number | undefined {
  // A bare number could be seconds or a year.
  const agoMs = /[a-z]$/.test(text) ? readDurationMs(text) : undefined;
  if (agoMs !== undefined) return nowMs - agoMs;
  const momentMs = /^\d{4}-\d{2}-\d{2}([Tt ].+)?$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(momentMs) ? undefined : momentMs;
}

/** `41s`, `3m`, `2h`, `5d`: the largest unit that fits. */
export function shortDuration(durationMs: number): string {
  const absoluteMs = Math.abs(durationMs);
  if (absoluteMs < 60_000) return `${Math.round(absoluteMs / 1_000)}s`;
  if (absoluteMs < 3_600_000) return `${Math.round(absoluteMs / 60_000)}m`;
  if (absoluteMs < 86_400_000) return `${Math.round(absoluteMs / 3_600_000)}h`;
  return `${Math.round(absoluteMs / 86_400_000)}d`;
}

/** `3m ago`, `in 41s`; what is no time comes back as it is. */
export function relativeTime(time: string, nowMs: number): string {
  const momentMs = Date.parse(time);
  if (Number.isNaN(momentMs)) return time;
  const agoMs = nowMs - momentMs;
  if (Math.abs(agoMs) < 1_000) return 'now';
  return agoMs > 0 ? `${shortDuration(agoMs)} ago` : `in ${shortDuration(agoMs)}`;
}

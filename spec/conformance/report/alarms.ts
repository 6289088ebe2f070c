/** A run may pass because it never touched anything: these are the signs. */
import type { Findings } from '../findings.js';
import type { Traffic } from '../monitor/watch.js';
import type { Profile } from '../profile.js';

export function alarms(traffic: Traffic, profile: Profile): string[] {
  const told: string[] = [];
  const { answers, forbidden, accepted, events } = traffic;
  if (forbidden * 2 > answers) {
    told.push(`vacuous? ${forbidden} of ${answers} answers were 403: is ${profile.tokenEnv} the token of this target?`);
  }
  if (accepted === 0) {
    const why = profile.token === undefined ? `${profile.tokenEnv} holds no token` : 'although there is a token';
    told.push(`vacuous? no request was ever answered 202 (${why}): nothing was put into the queue`);
  }
  if (events === 0) told.push('vacuous? /v1/events never listed an event: what was judged was an empty history');
  return told;
}

/** Monitors see all traffic, also what is a matter of checks that were not asked for: it is not lost. */
export function seenBeside(findings: Findings, isInRun: (check: string) => boolean): string[] {
  return findings
    .checks()
    .filter((check) => !isInRun(check))
    .flatMap((check) => {
      const [first] = findings.of(check);
      if (first === undefined) return [];
      return `seen, though ${check} is not part of this run: expected ${first.expected}; observed ${first.observed}`;
    });
}

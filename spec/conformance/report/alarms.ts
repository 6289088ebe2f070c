/** A run may pass because it never touched anything: these are the signs. */
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

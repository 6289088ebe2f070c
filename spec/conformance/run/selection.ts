/** Which checks run, and why the others do not. */
import { type CatalogueEntry, idMatches, type Need, needsOf } from '../catalogue.js';
import { type Check, check, NotTested } from '../check.js';
import type { Profile } from '../profile.js';
import type { Outcome } from '../verdict.js';

export interface Selected {
  readonly entry: CatalogueEntry;
  readonly check: Check;
}

/** In the order of the catalogue. @param only patterns of ids, separated by commas */
export function selectChecks(
  catalogue: readonly CatalogueEntry[],
  checks: readonly Check[],
  only: string | undefined,
): Selected[] {
  const byId = new Map(checks.map((each) => [each.id, each]));
  return catalogue
    .filter(({ id }) => only === undefined || idMatches(id, only))
    .map((entry) => ({ entry, check: byId.get(entry.id) ?? missing(entry.id) }));
}

/** Never passes for one that ran. */
function missing(id: string): Check {
  return check(id, async () => {
    throw new NotTested('this program has no such check yet');
  });
}

/** Why a check does not run at all; undefined when it does. */
export function reasonToSkip({ entry, check: { id, option } }: Selected, profile: Profile): Outcome | undefined {
  const exception = profile.unsupported.find((each) => idMatches(entry.id, each.check));
  if (exception !== undefined) return { kind: 'unsupported', reason: exception.reason };
  const { options } = profile;
  if (option !== undefined && options?.includes(option) === false && !options.includes(id)) {
    return { kind: 'n/a', reason: `the profile does not declare the option ${option}` };
  }
  const missing = needsOf(entry).map((need) => lacking(need, profile));
  const reason = missing.find((each) => each !== undefined);
  return reason === undefined ? undefined : { kind: 'not-tested', reason };
}

function lacking(need: Need, { token, tokenEnv, start, ledger, workload }: Profile): string | undefined {
  const noStart = 'it needs a profile with a start command: the process has to be killed and started again';
  switch (need) {
    case 'url':
    case 'failpoint':
      return undefined;
    case 'token':
      return token === undefined ? `it needs a token, and the variable ${tokenEnv} holds none` : undefined;
    case 'proc':
      return start === undefined ? noStart : undefined;
    case 'fixture':
      if (start === undefined) return noStart;
      return ledger === undefined ? 'it needs to know where the ledger is: `ledger` of the profile' : undefined;
    case 'work':
      return workload === undefined ? 'it needs jobs of a promised fate: `workload` of the profile' : undefined;
  }
}

/** Whether a check has servers of its own; the others share one. */
export function hasOwnServers({ entry }: Selected): boolean {
  return needsOf(entry).some((need) => need === 'proc' || need === 'fixture');
}

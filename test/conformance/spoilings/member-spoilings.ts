/** The answers' members, each wrong in each way that the document forbids. */
import type { Changes } from '../front.js';
import { edits } from '../mistakes/mistake.js';
import { gone, type Kind, kindsOf, removed, removedThoughRequired, type Schema } from './kinds.js';
import { documentedMembers, type Member } from './members.js';
import { Places } from './places.js';
import { glanceFor, listChecks, probeFor, rightFor, shapeChecks } from './right.js';
import type { Spoiling } from './spoiling.js';

/** What the contract leaves open, though a schema does not say so. */
const open: readonly (readonly [place: RegExp, kind: RegExp])[] = [
  // Any name of a program, of a place, of whoever did something, of a worker's files.
  [/^GET \/v1\/health daemon$/, /another/],
  [/\.actor$/, /another text/],
  [/output_paths/, /removed|emptied|without|twice|round/],
  // A worker's or a reader's own words.
  [/corrupt\b/, /./],
  [/quarantine_path/, /./],
];

/** Views of the same jobs, all made alike: of the others each member is wrong in one way only. */
const alike = [
  /^GET \/v1\/status projections\.(?:rpi|dream|wiki|openclaw)\..*\[\]\./,
  /^GET \/openclaw\/v1\/snapshot\/latest resources\.(?:runs|wiki)\[\]\./,
  /^GET \/openclaw\/v1\/(?:runs|jobs|wiki) .*\[\]\./,
  /^POST \/v1\/jobs\/(?:cancel|\{id\}\/cancel) job\./,
  /^GET \/v1\/status projections\.manifests\.(?!wiki-jobs)[^.]+\./,
];

/** Members of the payloads of events: the document leaves them open, the contract does not. */
const payloads: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  accepted: {
    job_type: { type: 'string', enum: ['rpi.run', 'wiki.build'] },
    max_attempts: { type: 'integer' },
    projection_targets: { type: 'array' },
    idempotency_key: { type: 'string' },
    job_payload: { type: 'object' },
  },
  claimed: {
    claim_token: { type: 'string' },
    lease_epoch: { type: 'integer' },
    lease_expires_at: { type: 'string', format: 'date-time' },
    attempt: { type: 'integer' },
  },
  heartbeat: {
    claim_token: { type: 'string' },
    lease_epoch: { type: 'integer' },
    lease_expires_at: { type: 'string', format: 'date-time' },
  },
  completed: {
    claim_token: { type: 'string' },
    lease_epoch: { type: 'integer' },
    result_status: { type: 'string', enum: ['succeeded', 'failed'] },
    artifacts: { type: 'object' },
  },
  failed: {
    claim_token: { type: 'string' },
    lease_epoch: { type: 'integer' },
    'failure.code': { type: 'string', enum: ['request_rejected', 'lost'] },
    'failure.message': { type: 'string' },
    'failure.retryable': { type: 'boolean' },
  },
  cancelled: { result_status: { type: 'string', enum: ['cancelled', 'failed'] }, reason: { type: 'string' } },
};

export function memberSpoilings(): Spoiling[] {
  return [...documentedMembers(), ...payloadMembers()].flatMap((member, index) => spoilingsOf(member, index));
}

function payloadMembers(): Member[] {
  return Object.entries(payloads).flatMap(([type, members]) =>
    Object.entries(members).map(([name, schema]) => ({
      route: 'GET /v1/events',
      path: `events[${type}].payload.${name}`,
      schema,
      isRequired: false,
    })),
  );
}

function spoilingsOf(member: Member, index: number): Spoiling[] {
  const place = `${member.route} ${member.path}`;
  const all = [member.isRequired ? removedThoughRequired : removed, ...kindsOf(member.schema)].filter(
    ({ name }) => !open.some(([where, kind]) => where.test(place) && kind.test(name)),
  );
  const isAlike = alike.some((where) => where.test(place));
  const taken = isAlike ? rotated(all, index) : varied(all, member, index);
  return taken.flatMap((kind) => {
    const one = member.path.replaceAll('[]', '[one]');
    // One among many hides better; all of them at once can't be told by comparing them with each other.
    const paths = one === member.path || kind.isShape || isAlike ? [one] : [one, member.path];
    return paths.map((path) => spoiling(member.route, path, kind));
  });
}

/** A validator either looks at a member or it does not: below the surface one wrong shape of each is enough. */
function varied(all: readonly Kind[], { path }: Member, index: number): Kind[] {
  if (!path.includes('.')) return [...all];
  const shapes = all.filter(({ isShape }) => isShape);
  return [...all.filter(({ isShape }) => !isShape), ...rotated(shapes, index)];
}

function rotated(all: readonly Kind[], index: number): Kind[] {
  return all.filter((_, each) => each === index % all.length);
}

function spoiling(route: string, path: string, kind: Kind): Spoiling {
  const subject = rightFor(route, path);
  const right = kind.isShape ? [...subject, ...shapeChecks, ...listChecks] : subject;
  const probe = kind.isShape ? glanceFor(route) : probeFor(route);
  return { route, member: path, kind: kind.name, right, probe, make: () => changing(route, path, kind) };
}

export function routePattern(route: string): RegExp {
  const escaped = route.replaceAll('/', '\\/').replace('{id}', '(?!cancel$)[^\\/]+');
  return new RegExp(`^${escaped}$`);
}

/** The members of a path, changed in every good answer of a route. */
export function changing(route: string, path: string, { change }: Pick<Kind, 'change'>): Changes {
  const places = new Places(path);
  return edits(routePattern(route), (body) => {
    for (const { holder, key } of places.in(body).reverse()) {
      const inner = holder as Record<string | number, unknown>;
      const now = change(inner[key]);
      if (now === gone) delete inner[key];
      else if (now !== undefined) inner[key] = now;
    }
  });
}

/** What holds for every single answer, whatever was asked. */

import type { Level } from '../catalogue.js';
import { nullLists } from '../contract-parts.js';
import { type Route, routeFor } from '../contract-routes.js';
import { shapeProblem } from '../contract-schemas.js';
import type { Findings, Report } from '../findings.js';
import { isObject, shown } from '../json.js';
import { repeatedMember } from '../json-members.js';
import { type Exchange, routeOf } from '../target/exchange.js';

/** Where a server repeats names, it does so in small answers too. */
const SEARCHED_CHARACTERS = 262_144;

export interface AnswerContext {
  readonly consumerBase: string;
  readonly token: string | undefined;
  readonly claims: readonly Level[];
}

export function judgeAnswer(answer: Exchange, context: AnswerContext, findings: Findings): void {
  const report: Report = (check, severity, expected, observed) =>
    findings.add(check, { severity, expected, observed, request: answer });
  judgeSecrets(answer, context, findings, report);
  judgeOrigin(answer, findings, report);
  const route = routeFor(routeOf(answer), context.consumerBase);
  if (route === undefined || answer.method === 'HEAD' || answer.method === 'OPTIONS') return;
  if (!isMissing(answer, route, context)) judgeShape(answer, route, findings, report);
}

/** A level may be left out, whole; whether a route of one that is claimed is there, the checks of that level ask. */
function isMissing({ status }: Exchange, { level, refusals }: Route, { claims }: AnswerContext): boolean {
  if (level === 'observe' || (status !== 404 && status !== 405)) return false;
  return !claims.includes(level) || (status === 404 && !refusals.includes(status));
}

function judgeShape(answer: Exchange, route: Route, findings: Findings, report: Report): void {
  const where = `${answer.method} ${routeOf(answer)}, ${answer.status}`;
  if (answer.status < 200 || answer.status > 299) {
    findings.judged('observe.http.json-errors');
    judgeError(answer, where, report);
  }
  if (answer.method !== route.method) return;
  findings.judged('observe.http.schema-all');
  const must: Report = (check, severity, expected, observed) =>
    report(check, severity, expected, `${where}: ${observed}`);
  if (answer.status !== route.success) {
    if (!route.refusals.includes(answer.status)) {
      const declared = [route.success, ...route.refusals].join(', ');
      must('observe.http.schema-all', 'MUST', `a status that the route declares: ${declared}`, String(answer.status));
    }
    return;
  }
  if (!isJsonType(answer))
    must('observe.http.schema-all', 'MUST', 'Content-Type application/json', contentType(answer));
  for (const place of nullLists(route.schema, answer.json)) {
    const check = route.schema.startsWith('Consumer') ? 'project.consumer.empty' : 'observe.status.empty-arrays';
    must(check, 'MUST', `${place} is a list, empty or not`, 'null');
  }
  const problem = answer.json === undefined ? 'the body is no JSON' : shapeProblem(route.schema, answer.json);
  if (problem !== undefined) must('observe.http.schema-all', 'MUST', `a body of the shape ${route.schema}`, problem);
  const twice = answer.json === undefined ? undefined : repeatedIn(answer);
  if (twice !== undefined) must('observe.http.schema-all', 'SHOULD', 'each name once in an object', `${twice} twice`);
}

/** A text as long as what was understood of it hides nothing: only the others are looked through. */
function repeatedIn({ text, json }: Exchange): string | undefined {
  if (text.length > SEARCHED_CHARACTERS || JSON.stringify(json).length === text.length) return undefined;
  return repeatedMember(text);
}

function judgeError(answer: Exchange, where: string, report: Report): void {
  const check = 'observe.http.json-errors';
  if (!isJsonType(answer)) {
    report(check, 'MUST', 'an error with Content-Type application/json', `${where}: ${contentType(answer)}`);
  }
  const error = isObject(answer.json) ? answer.json['error'] : undefined;
  if (typeof error !== 'string' || error.trim() === '') {
    report(check, 'MUST', 'an object whose `error` is a text that is not empty', `${where}: ${shown(answer.text)}`);
    return;
  }
  const problem = shapeProblem('Error', answer.json);
  if (problem !== undefined)
    report('observe.http.schema-all', 'MUST', 'a body of the shape Error', `${where}: ${problem}`);
}

function judgeSecrets(answer: Exchange, { token }: AnswerContext, findings: Findings, report: Report): void {
  if (token === undefined) return;
  const check = 'enqueue.auth.token-secret';
  findings.judged(check);
  const where = `${answer.method} ${routeOf(answer)}, ${answer.status}`;
  if (answer.text.includes(token)) report(check, 'MUST', 'no token in a body', `${where}: the body holds the token`);
  if (answer.rawHeaders.some((each) => each.includes(token))) {
    report(check, 'MUST', 'no token in a header', `${where}: a header of the answer holds the token`);
  }
}

function judgeOrigin(answer: Exchange, findings: Findings, report: Report): void {
  findings.judged('enqueue.auth.cors-closed');
  const allowed = answer.headers['access-control-allow-origin'];
  if (allowed === undefined) return;
  const where = `${answer.method} ${routeOf(answer)}`;
  report('enqueue.auth.cors-closed', 'SHOULD', 'no Access-Control-Allow-Origin in any answer', `${where}: ${allowed}`);
}

export function isJsonType(answer: Exchange): boolean {
  return /^application\/json\s*(;|$)/i.test(answer.headers['content-type'] ?? '');
}

export function contentType(answer: Exchange): string {
  return answer.headers['content-type'] ?? 'no Content-Type';
}

/**
 * The examples of the document, each under a name of its own, and the comparison that `spec/README.md` promises: what an
 * example writes as a time in UTC stands for any, an example of plain text is how the answer begins, all else is literal.
 */
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { loadContract } from '../../lib/engine/schemas.js';

/** `submitJob request page`, `getReady 200 empty`; an answer that operations share has the name of its component. */
export function documentedExamples(): Map<string, unknown> {
  const { document } = loadContract();
  const found = new Map<string, unknown>();
  for (const item of Object.values(document['paths'] as JsonObject)) {
    for (const operation of Object.values(item as JsonObject)) {
      const { operationId, requestBody, responses } = operation as JsonObject;
      if (isJsonObject(requestBody)) collect(found, `${operationId} request`, requestBody);
      for (const [status, response] of Object.entries(responses as JsonObject))
        if (isJsonObject(response) && response['$ref'] === undefined)
          collect(found, `${operationId} ${status}`, response);
    }
  }
  const shared = (document['components'] as JsonObject)['responses'] as JsonObject;
  for (const [name, response] of Object.entries(shared)) collect(found, name, response as JsonObject);
  return found;
}

function collect(found: Map<string, unknown>, place: string, { content }: JsonObject): void {
  for (const [type, media] of Object.entries((content ?? {}) as JsonObject)) {
    const { example, examples } = media as JsonObject;
    const at = type === 'text/event-stream' ? `${place} stream` : place;
    if (example !== undefined) found.set(at, example);
    for (const [name, { value }] of Object.entries((examples ?? {}) as Record<string, JsonObject>))
      found.set(`${at} ${name}`, value);
    if (example === undefined && examples === undefined) found.set(at, undefined);
  }
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** What came, with every time that the example writes at the same place in its place. */
export function timeless(got: unknown, wanted: unknown): unknown {
  if (typeof wanted === 'string' && TIME.test(wanted)) return typeof got === 'string' && TIME.test(got) ? wanted : got;
  if (Array.isArray(got) && Array.isArray(wanted)) return got.map((member, at) => timeless(member, wanted[at]));
  if (!isJsonObject(got) || !isJsonObject(wanted)) return got;
  return Object.fromEntries(Object.entries(got).map(([name, member]) => [name, timeless(member, wanted[name])]));
}

/** A value that JSON can say. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [member: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object that a text of JSON is; undefined for what is no JSON, or no object. */
export function jsonObjectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** ASCII that stands in JSON as it is: no quote, no backslash, no control. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Whether the JSON of a text is the text itself between quotes, and safe on a terminal. */
export function isPlainText(text: string): boolean {
  return PLAIN.test(text);
}

/** The same as `JSON.stringify`; ids and keys, which are nearly all plain, in a third of the time. */
export function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Reads members of the lines that an agent CLI prints: nothing about their types is believed. */
import { isJsonObject, type Json, type JsonObject } from '../../lib/base/json.js';

export function textIn(event: JsonObject, name: string): string | undefined {
  const value = event[name];
  return typeof value === 'string' && value !== '' ? value.toWellFormed() : undefined;
}

/** A count; undefined for what is none. */
export function countIn(event: JsonObject, name: string): number | undefined {
  const value = event[name];
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

export function objectIn(event: JsonObject, name: string): JsonObject | undefined {
  const value = event[name];
  return isJsonObject(value) ? value : undefined;
}

/** The objects of a list; empty when there is no list. */
export function objectsIn(event: JsonObject, name: string): JsonObject[] {
  const value: Json | undefined = event[name];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** On one line, bounded: for people who follow a run. */
export function brief(text: string, characters: number): string {
  const line = text.replace(/\s+/gu, ' ').trim();
  return line.length <= characters ? line : `${line.slice(0, characters).toWellFormed()}…`;
}

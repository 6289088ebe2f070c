/** Every spoiling there is, the legal ones last. */
import { answerSpoilings } from './answer-spoilings.js';
import { guardSpoilings } from './guard-spoilings.js';
import { historySpoilings } from './history-spoilings.js';
import { legalSpoilings } from './legal.js';
import { memberSpoilings } from './member-spoilings.js';
import { requestSpoilings } from './request-spoilings.js';
import type { Spoiling } from './spoiling.js';
import { viewSpoilings } from './view-spoilings.js';
import { writeSpoilings } from './write-spoilings.js';

export const allSpoilings: readonly Spoiling[] = [
  ...memberSpoilings(),
  ...answerSpoilings(),
  ...guardSpoilings(),
  ...requestSpoilings(),
  ...historySpoilings(),
  ...writeSpoilings(),
  ...viewSpoilings(),
  ...legalSpoilings,
];

/** Every check there is. One list a file; their order here does not matter, that of the catalogue counts. */
import type { Check } from '../check.js';
import { healthChecks } from './observe-health.js';

export const allChecks: readonly Check[] = [healthChecks].flat();

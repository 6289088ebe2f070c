/**
 * A daemon that does what the contract leaves open in its own way, as a process: `varied-daemon.js run …` takes the
 * arguments of `agentopsd run`; the variable AGENTOPSD_VARIANTS names the ways, separated by commas.
 */
import { serveFronted } from './fronted-daemon.js';
import { variantsOf } from './variants/all.js';
import { together } from './variants/variant.js';

const variants = variantsOf(process.env['AGENTOPSD_VARIANTS'] ?? '');
await serveFronted({ preload: [], makeChanges: (room) => together(variants, room) });

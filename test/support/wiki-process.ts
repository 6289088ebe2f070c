/** Forges and builds a wiki in a process of its own, to be killed: `node wiki-process.js ROOT`. Prints `go` as it begins. */
import { wikiBuild } from '../../workers/wiki-build.js';
import { wikiForge } from '../../workers/wiki-forge.js';
import { createBench } from './builtin-context.js';

const bench = createBench(process.argv[2]);
process.stdout.write('go\n');
await bench.run(wikiForge, 'wiki.forge', { source_paths: ['docs'] });
await bench.run(wikiBuild, 'wiki.build', {});

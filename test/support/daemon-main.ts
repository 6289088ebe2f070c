/** A daemon as a process of its own, for tests that kill it: options as JSON in the one argument, facts as a line of JSON. */
import { startDaemon } from '../../lib/engine/daemon.js';

const daemon = await startDaemon({
  ...JSON.parse(process.argv[2] ?? '{}'),
  logger: (level: string, message: string) => process.stderr.write(`${level}: ${message}\n`),
});
let asked = 0;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void daemon.stop({ quick: asked++ > 0 }));
process.stdout.write(`${JSON.stringify({ url: daemon.url, stateFolder: daemon.stateFolder })}\n`);
await daemon.ended;

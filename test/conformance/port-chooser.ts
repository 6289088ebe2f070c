/** Another run that chooses a port: it would like those of its arguments, one after the other, and then those behind them. */
import { freePort } from '../../spec/conformance/target/ports.js';

const wanted = process.argv.slice(2).map(Number);
let behind = wanted.at(-1) ?? 0;
const port = await freePort(() => {
  const next = wanted.shift();
  if (next !== undefined) return next;
  behind += 1;
  return behind;
});
process.send?.({ port });
process.disconnect();

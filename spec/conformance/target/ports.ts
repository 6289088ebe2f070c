/**
 * Ports of the loopback address for the servers that this program starts. Between the choice of a port and its server's
 * listening there is a start: whoever else chose the same one meanwhile would be asked in the place of that server, and
 * answer well. So a port is held from its choice on by a datagram socket of the same number, which disturbs no server, and
 * which every other run of this program finds taken. The system lets go of it with the process.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below those that systems give to whoever asks for any. */
const PORTS = { from: 10_000, to: 32_767 };
const PORT_TRIES = 50;
/** So many are held at a time, the latest: more servers than that are never there at once. */
const HELD_PORTS = 128;
const ADDRESS = '127.0.0.1';

const held: Socket[] = [];

/** A port that is free now, and that no other run of this program is given. */
export async function freePort(choose: () => number = () => randomInt(PORTS.from, PORTS.to + 1)): Promise<number> {
  for (let tried = 0; tried < PORT_TRIES; tried += 1) {
    const port = choose();
    const hold = await holdOf(port);
    if (hold === undefined) continue;
    if (await isFree(port)) {
      held.push(hold);
      if (held.length > HELD_PORTS) held.shift()?.close();
      return port;
    }
    hold.close();
  }
  throw new Error(`none of ${PORT_TRIES} ports between ${PORTS.from} and ${PORTS.to} is free`);
}

/** Undefined when somebody else holds it. */
function holdOf(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address: ADDRESS, exclusive: true }, () => {
      socket.unref();
      resolve(socket);
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false)).listen(port, ADDRESS, () => server.close(() => resolve(true)));
  });
}

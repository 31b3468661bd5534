import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below those that the system gives to outgoing connections (from 32768 on Linux, 49152 elsewhere): such a one would be in the way
// of whoever listens a moment later.
const FIRST = 12_000;
const BEYOND = 32_000;

const given = new Set<number>();

/** A loopback port that was free a moment ago, that nobody else in this process was given, and that no outgoing connection takes by itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, BEYOND);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}

import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { explain } from './explain-error.ts';
import { whyUnreachable } from '../why-unreachable.ts';

async function failureToListen(port: number, host: string): Promise<unknown> {
  const server = createServer();
  const failed = once(server, 'error');
  server.listen(port, host);
  return (await failed)[0];
}

describe('what is wrong', () => {
  it('with the address to listen on names the setting that says it', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    expect(explain(await failureToListen(port, '127.0.0.1'))).toMatch(
      new RegExp(`^port ${port} is in use .* GATEHOUSE_PORT`),
    );
    taken.close();
    await once(taken, 'close');
    const refused = await fetch(`http://127.0.0.1:${port}`).catch((error: unknown) => error);
    expect(whyUnreachable(refused)).toBe('nothing listens there');
    expect(explain(await failureToListen(0, '192.0.2.1'))).toMatch(
      /^192\.0\.2\.1 is no address of this machine: set GATEHOUSE_HOST/,
    );
  });

  it('on the way to somebody else is said in words, also where it is the cause of another failure', async () => {
    const barred = await fetch('http://127.0.0.1:1').catch((error: unknown) => error);
    expect(whyUnreachable(barred)).toBe('no HTTP is spoken on that port');
    expect(whyUnreachable(new Error('Connection terminated unexpectedly'))).toBe(
      'the connection was ended from there',
    );
    expect(whyUnreachable(new Error('migration 1 failed'))).toBeUndefined();
  });
});

import type * as Crypto from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';

const chance = vi.hoisted(() => ({ numbers: [] as number[] }));
vi.mock('node:crypto', async (original) => {
  const real = await original<typeof Crypto>();
  return {
    ...real,
    randomInt: (from: number, to: number) => chance.numbers.shift() ?? real.randomInt(from, to),
  };
});
const { freePort } = await import('./free-port.ts');

it('gives no port twice, none that somebody listens on, and none of those for outgoing connections', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const first = await freePort();
  chance.numbers.push(first, (taken.address() as AddressInfo).port);
  const second = await freePort();
  expect(chance.numbers).toEqual([]);
  expect(second).not.toBe(first);
  for (const port of [first, second]) {
    expect(port).toBeGreaterThan(1_024);
    expect(port).toBeLessThan(32_768);
  }
  await new Promise((resolve) => taken.close(resolve));
});

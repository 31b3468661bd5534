import { Controller, Get, Module, type Type } from '@nestjs/common';
import { message, type ContractTable } from '@gatehouse/event-catalog';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { receipt } from '../command/handlers.ts';
import { internalController } from '../command/internal-controller.ts';
import { OwnerClient } from '../command/owner-client.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import type { Worker } from '../worker/worker.ts';
import { host, type Hosted } from './host.ts';

const contracts = {
  'shelve-book': message('A test command.', z.strictObject({}), z.null()),
} satisfies ContractTable;
const by = { actor: { kind: 'user', id: 'u', name: 'Ada' } as const, correlationId: 'c-1' };

@Module({})
class TestModule {}

let test: TestPlatform;
let hosted: Hosted;
let happened: string[];
let letGo: () => void;

beforeEach(async () => {
  test = await startTestPlatform({ schemas: [] });
  happened = [];
});
afterEach(async () => {
  await hosted.close();
  await test.stop();
});

/** As admin does it: answers only when it was let go, and then asks an owner in the same process first. */
function slowController(): Type {
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const client = new OwnerClient(test.platform);
  @Controller('slow')
  class SlowController {
    @Get()
    async answer(): Promise<string> {
      happened.push('asked');
      await held;
      await client.command('identity', contracts, 'shelve-book', {}, by);
      return 'shelved';
    }
  }
  return SlowController;
}

async function open(
  stops: readonly (() => Promise<void>)[],
  startUntil?: AbortSignal,
): Promise<void> {
  const workers = stops.map((stop, index): Worker => ({
    name: `worker ${index}`,
    start: async () => void happened.push(`${index} started`),
    stop,
  }));
  const controller = internalController(test.platform, 'identity', contracts, {
    'shelve-book': async () => receipt({ stream: 's', version: 1, position: 1 }, null),
  });
  hosted = await host({
    platform: test.platform,
    services: [
      {
        name: 'test',
        module: { module: TestModule, controllers: [controller, slowController()] },
        workers,
      },
    ],
    host: '127.0.0.1',
    port: 0,
    onListening: (url) => test.serveAt(url),
    grace: { requestsMs: 1_000, workersMs: 200 },
    ...(startUntil && { startUntil }),
  });
}

const ask = (path: string): Promise<Response> => fetch(`${hosted.url}${path}`);

describe('a process that is told to end', () => {
  it('answers what it has in hand, by whatever that needs, and only then stops its workers', async () => {
    await open([async () => void happened.push('worker stopped')]);
    happened = [];
    const inHand = ask('/slow');
    await eventually(() => expect(happened).toEqual(['asked']));
    const closed = hosted.close();
    const refused = await ask('/slow');
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      503,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(await refused.json()).toMatchObject({ code: 'service-unavailable' });
    expect((await ask('/health/live')).status).toBe(200);
    expect(happened).toEqual(['asked']);
    letGo();
    expect(await (await inHand).text()).toBe('shelved');
    await closed;
    expect(happened).toEqual(['asked', 'worker stopped']);
    await expect(ask('/health/live')).rejects.toThrow('fetch failed');
  });

  it('waits neither for a request nor for a worker without end', async () => {
    await open([() => new Promise(() => undefined)]);
    happened = [];
    const inHand = ask('/slow').catch((error: Error) => error.message);
    await eventually(() => expect(happened).toEqual(['asked']));
    await hosted.close();
    expect(await inHand).toBe('fetch failed');
  });

  it('stops every worker, though one fails to', async () => {
    const stopped = (name: string) => async () => void happened.push(name);
    await open([stopped('first'), () => Promise.reject(new Error('stuck')), stopped('last')]);
    happened = [];
    await hosted.close();
    expect(happened).toEqual(['last', 'first']);
    await expect(ask('/health/live')).rejects.toThrow('fetch failed');
  });

  it('starts nothing more once it was told to', async () => {
    await open([async () => void happened.push('stopped')], AbortSignal.abort());
    await hosted.close();
    expect(happened).toEqual([]);
  });
});

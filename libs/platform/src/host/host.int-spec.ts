import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Controller, Get, Module } from '@nestjs/common';
import { message, type ContractTable } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { internalController } from '../command/internal-controller.ts';
import { OwnerClient } from '../command/owner-client.ts';
import { receipt } from '../command/handlers.ts';
import { readMetricsToken } from '../metrics/metrics.config.ts';
import { scrape } from '../testing/scrape.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { host, type Hosted } from './host.ts';

const contracts = {
  'shelve-book': message('A test command.', z.strictObject({ title: z.string().min(1) }), z.null()),
  'lose-book': message('A test command that is refused.', z.strictObject({}), z.null()),
  'burn-book': message('A test command that fails.', z.strictObject({}), z.null()),
} satisfies ContractTable;

@Controller('broken')
class BrokenController {
  @Get()
  break(): never {
    throw new Error('with a secret in it');
  }
}

@Module({})
class TestModule {}

let test: TestPlatform;
let hosted: Hosted;
let client: OwnerClient;
const order: string[] = [];
const by = { actor: { kind: 'user', id: 'u', name: 'Ada' } as const, correlationId: 'c-1' };

beforeAll(async () => {
  test = await startTestPlatform({ schemas: [] });
  const worker = (name: string) => ({
    name,
    start: async () => void order.push(`start ${name}`),
    stop: async () => void order.push(`stop ${name}`),
  });
  const controller = internalController(test.platform, 'identity', contracts, {
    'shelve-book': async (command, context) => {
      order.push(`${command.title} by ${context.actor.name} in ${context.correlationId}`);
      return receipt({ stream: 's', version: 1, position: 2 }, null);
    },
    'lose-book': async () => {
      throw new Refusal('role-unknown', {
        detail: 'no such role: x',
        internal: 'only for the log',
      });
    },
    'burn-book': async () => {
      throw new Error('with a secret in it');
    },
  });
  hosted = await host({
    platform: test.platform,
    services: [
      {
        name: 'test',
        module: { module: TestModule, controllers: [controller, BrokenController] },
        workers: [worker('one'), worker('two')],
        rawHandler: (request, response) => {
          if (request.url !== '/raw') return false;
          response.end('raw');
          return true;
        },
      },
    ],
    host: '127.0.0.1',
    port: 0,
    onListening: (url) => test.serveAt(url),
  });
  client = new OwnerClient(test.platform);
});

afterAll(async () => {
  await hosted.close();
  expect(order.slice(-2)).toEqual(['stop two', 'stop one']);
  await test.stop();
});

const post = (
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${hosted.url}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });

/** What an answer tells, but for what is new in every one. */
async function seen(response: Response): Promise<string> {
  const { date: _, 'content-length': __, ...headers } = Object.fromEntries(response.headers);
  const text = (await response.text()).replace(/"correlationId":"[0-9a-f-]{36}"/, '');
  return JSON.stringify([response.status, headers, text]);
}

describe('a hosted service', () => {
  it('starts its workers in order, after it listens', () => {
    expect(order.slice(0, 2)).toEqual(['start one', 'start two']);
  });

  it('takes a command with its actor and correlation, and answers the receipt', async () => {
    const answer = await client.command(
      'identity',
      contracts,
      'shelve-book',
      { title: 'Emma' },
      by,
    );
    expect(answer).toEqual({ stream: 's', version: 1, position: 2, result: null });
    expect(order).toContain('Emma by Ada in c-1');
  });

  it('carries a refusal over to the caller as the same refusal, without what is internal', async () => {
    await expect(client.command('identity', contracts, 'lose-book', {}, by)).rejects.toMatchObject({
      code: 'role-unknown',
      detail: 'no such role: x',
      internal: undefined,
    });
  });

  it('refuses a command that breaks its contract and says where', async () => {
    await expect(
      client.command('identity', contracts, 'shelve-book', { title: '' }, by),
    ).rejects.toMatchObject({
      code: 'request-invalid',
      detail: expect.stringContaining('title') as string,
    });
  });

  it.each(['a NUL \0 inside', 'half a pair \ud800'])(
    'refuses text that no database could hold: %j',
    async (title) => {
      await expect(
        client.command('identity', contracts, 'shelve-book', { title }, by),
      ).rejects.toMatchObject({
        code: 'request-invalid',
        detail: expect.stringContaining('half a character') as string,
      });
    },
  );

  it('tells nothing of a bug but a correlation id', async () => {
    await expect(client.command('identity', contracts, 'burn-book', {}, by)).rejects.toMatchObject({
      code: 'internal',
    });
    const response = await fetch(`${hosted.url}/broken`);
    expect(response.status).toBe(500);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const text = await response.text();
    expect(text).not.toContain('secret');
    expect(JSON.parse(text)).toMatchObject({
      code: 'internal',
      correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    const of = { service: 'identity', command: 'burn-book', outcome: 'failed', code: 'internal' };
    expect((await scrape(hosted.url)).value('gatehouse_commands_total', of)).toBe(1);
  });

  it('shows its internal API to nobody without the service token', async () => {
    const body = JSON.stringify({ ...by, command: { title: 'x' } });
    const unknown = await post('/internal/identity/no-such-thing', body);
    const known = await post('/internal/identity/shelve-book', body);
    const wrong = await post('/internal/identity/shelve-book', body, {
      authorization: 'Bearer wrong',
    });
    for (const response of [unknown, known, wrong]) {
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'not-found' });
    }
  });

  it.each([
    ['malformed JSON', '{', 'application/json', 400],
    ['another content type', 'a=1', 'text/csv', 415],
    ['a body over the limit', `"${'x'.repeat(1_100_000)}"`, 'application/json', 413],
  ])('answers %s with a problem document', async (_what, body, type, status) => {
    const authorization = `Bearer ${test.platform.serviceToken}`;
    const headers = { 'content-type': type, authorization };
    const response = await post('/internal/identity/shelve-book', body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });

  it('tells strangers the same bytes of all that is internal, whatever they send', async () => {
    const answers: string[] = [];
    for (const path of ['identity/shelve-book', 'identity/x', 'nosuch/x', 'identity/%zz', '']) {
      for (const [body, type] of [
        ['{', 'application/json'],
        ['a', 'text/csv'],
        [`"${'x'.repeat(1_100_000)}"`, 'application/json'],
      ] as const) {
        answers.push(await seen(await post(`/internal/${path}`, body, { 'content-type': type })));
      }
    }
    for (const path of [
      '//internal/identity/x',
      '/%69nternal/identity/x',
      `/internal/${'x'.repeat(200)}`,
    ]) {
      answers.push(await seen(await post(path, '{')));
    }
    answers.push(await seen(await fetch(`${hosted.url}/internal/identity/shelve-book`)));
    answers.push(await seen(await fetch(`${hosted.url}/there-is-nothing`)));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('urn:gatehouse:problem:not-found');
  });

  it.each(['/nosuch', '/broken', '/internal/nosuch/x', '/%zz'])(
    'answers a body that is no JSON with a problem document, also at %s',
    async (path) => {
      const authorization = `Bearer ${test.platform.serviceToken}`;
      const response = await post(path, '{', { authorization });
      expect(response.headers.get('content-type')).toContain('application/problem+json');
      expect(await response.json()).toMatchObject({
        code: expect.stringMatching(/^(?:request-invalid|not-found)$/) as string,
      });
    },
  );

  it('passes raw handlers what is theirs before the framework sees it', async () => {
    expect(await (await fetch(`${hosted.url}/raw`)).text()).toBe('raw');
  });

  it('is ready when nothing is left to wait for, and says what is', async () => {
    const entry = test.platform.readiness.waitFor('the principals');
    const waiting = await fetch(`${hosted.url}/health/ready`);
    expect(waiting.status).toBe(503);
    expect(await waiting.json()).toEqual({ status: 'waiting', waitingFor: ['the principals'] });
    entry.done();
    expect((await fetch(`${hosted.url}/health/ready`)).status).toBe(200);
    expect((await fetch(`${hosted.url}/health/live`)).status).toBe(200);
  });

  it('answers metrics that Prometheus reads', async () => {
    await post('/internal/identity/nowhere', '{}');
    await fetch(`${hosted.url}/such/an/address`);
    await fetch(`${hosted.url}/health/live`);
    const response = await fetch(`${hosted.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toContain('process_cpu_user_seconds_total');
    expect(text).toMatch(/^gatehouse_build_info\{version="\d+\.\d+\.\d+",service="test"\} 1$/m);
    const requests = 'gatehouse_http_requests_total';
    expect(text).toContain(`${requests}{method="GET",route="/health/live",status="2xx"}`);
    expect(text).toContain(`${requests}{method="GET",route="none",status="4xx"}`);
    expect(text).toContain(
      `${requests}{method="POST",route="/internal/identity/:name",status="4xx"}`,
    );
    expect(text).not.toContain('such/an/address');
    expect(text).not.toContain('route="/raw"');
    expect(text).toContain(
      'gatehouse_http_request_duration_seconds_count{method="GET",route="/health/live"}',
    );
  });
});

describe('metrics that are not for everybody', () => {
  let guarded: Hosted;
  beforeAll(async () => {
    guarded = await host({
      platform: test.platform,
      services: [],
      host: '127.0.0.1',
      port: 0,
      metricsToken: 'a-token-of-prometheus',
    });
  });
  afterAll(() => guarded.close());
  const ask = (authorization?: string): Promise<Response> =>
    fetch(`${guarded.url}/metrics`, {
      headers: authorization === undefined ? {} : { authorization },
    });

  it.each([undefined, 'Bearer', 'Bearer a-token-of-prometheu', 'Basic a-token-of-prometheus'])(
    'are kept from who shows %s',
    async (authorization) => {
      const response = await ask(authorization);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toMatchObject({ code: 'authentication-required' });
    },
  );

  it('are shown to who carries the token; whether it is alive, to anybody', async () => {
    expect((await ask('Bearer a-token-of-prometheus')).status).toBe(200);
    expect((await fetch(`${guarded.url}/health/live`)).status).toBe(200);
  });

  it('are guarded by a token that is not short enough to guess', async () => {
    const file = join(test.platform.dataDirectory, 'metrics-token');
    await writeFile(file, 'a-token-of-prometheus\n');
    expect(await readMetricsToken({ tokenFile: file })).toBe('a-token-of-prometheus');
    expect(await readMetricsToken({})).toBeUndefined();
    await writeFile(file, 'short');
    await expect(readMetricsToken({ tokenFile: file })).rejects.toThrow('metrics.tokenFile');
    await expect(readMetricsToken({ tokenFile: `${file}-not-there` })).rejects.toThrow(
      'there is no such file',
    );
  });
});

describe('a client whose owner is away', () => {
  it('refuses with service-unavailable', async () => {
    const away = new OwnerClient({ ...test.platform, serviceUrl: () => 'http://127.0.0.1:9' });
    await expect(
      away.command('identity', contracts, 'shelve-book', { title: 'x' }, by),
    ).rejects.toMatchObject({
      code: 'service-unavailable',
    });
  });
});

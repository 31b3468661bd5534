import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@gatehouse/problem-catalog';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { host, type Hosted } from './host.ts';
import type { MalformedRequest } from './malformed-request.ts';

let test: TestPlatform;
let hosted: Hosted;
let told: MalformedRequest[];
let failure: Error | undefined;

beforeAll(async () => {
  test = await startTestPlatform({ schemas: [] });
  hosted = await host({
    platform: test.platform,
    services: [
      {
        name: 'test',
        module: { module: class TestModule {} },
        workers: [],
        rawHandler: (request, response) => {
          if (request.url === '/stream') response.writeHead(200).write('begun ');
          else if (request.url === '/slow') setTimeout(() => response.end('slow'), 100);
          else if (request.url === '/early') response.end('early');
          else if (request.url === '/echo') {
            request.resume();
            request.once('error', (error) => response.end(`broke off: ${error.message}`));
            request.once('end', () => response.end(`host ${request.headers.host}`));
          } else return false;
          return true;
        },
        onMalformedRequest: async (malformed) => {
          told.push(malformed);
          if (failure !== undefined) throw failure;
        },
      },
    ],
    host: '127.0.0.1',
    port: 0,
  });
});
beforeEach(() => {
  told = [];
  failure = undefined;
});
afterAll(async () => {
  await hosted?.close();
  await test?.stop();
});

/** Sends text as it is, in one or more pieces, and resolves with all that came back until the end of the connection. */
async function say(...pieces: string[]): Promise<string> {
  const socket = connect(Number(new URL(hosted.url).port), '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => void (heard += text));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(30);
  }
  if (!socket.closed) await once(socket, 'close');
  return heard;
}

const statusLines = (heard: string) => heard.match(/HTTP\/1\.1 \d{3}/g) ?? [];
const bodyOf = (heard: string) =>
  JSON.parse(heard.slice(heard.lastIndexOf('\r\n\r\n'))) as Record<string, unknown>;
const CLOSE = 'host: a\r\nconnection: close\r\n\r\n';

it.each([
  ['what is no HTTP', 'hello there\r\n\r\n'],
  ['a header that is none', 'GET /echo HTTP/1.1\r\nhost: a\r\nno header at all\r\n\r\n'],
  [
    'two lengths',
    'POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
  ],
  ['headers without end', `GET /echo HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`],
  ['headers in many pieces', 'GET /echo HTTP/1.1\r\nx: ', 'y'.repeat(20_000), 'y', 'y', 'y'],
])('answers %s once, with a problem, and tells of it once before', async (_what, ...pieces) => {
  const heard = await say(...pieces);
  expect(statusLines(heard)).toEqual(['HTTP/1.1 400']);
  expect(heard).toContain('content-type: application/problem+json');
  expect(told).toEqual([
    {
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      clientIp: '127.0.0.1',
      refusal: expect.objectContaining({ code: 'request-invalid' }) as Refusal,
    },
  ]);
  expect(bodyOf(heard)).toMatchObject({
    code: 'request-invalid',
    correlationId: told[0]!.requestId,
  });
});

it('answers what the one who was told of it refuses with', async () => {
  failure = new Refusal('evidence-unavailable');
  expect(bodyOf(await say('nonsense\r\n\r\n'))).toMatchObject({ code: 'evidence-unavailable' });
  failure = new Error('with a secret in it');
  const heard = await say('nonsense\r\n\r\n');
  expect(bodyOf(heard)).toMatchObject({ status: 500, code: 'internal' });
  expect(heard).not.toContain('secret');
});

it('leaves the answer to a request whose body breaks off to whoever reads it', async () => {
  const head = 'POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n';
  const heard = await say(head, 'zz\r\n', 'more\r\n', 'GET /early HTTP/1.1\r\nhost: a\r\n\r\n');
  expect(statusLines(heard)).toEqual(['HTTP/1.1 200']);
  expect(heard).toContain('broke off');
  expect(told).toEqual([]);
});

it('says nothing more to a request that was answered before its body broke off', async () => {
  const head = 'POST /early HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n';
  expect(statusLines(await say(head, 'zz\r\n'))).toEqual(['HTTP/1.1 200']);
  expect(told).toEqual([]);
});

it('answers in the order in which it was asked', async () => {
  const heard = await say('GET /slow HTTP/1.1\r\nhost: a\r\n\r\nnonsense\r\n\r\n');
  expect(statusLines(heard)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  expect(told).toHaveLength(1);
});

it('ends a stream into which nonsense is said, and puts no answer in it', async () => {
  const heard = await say('GET /stream HTTP/1.1\r\nhost: a\r\n\r\n', 'nonsense\r\n\r\n');
  expect(statusLines(heard)).toEqual(['HTTP/1.1 200']);
  expect(heard).toContain('begun');
  expect(told).toHaveLength(1);
});

it('is no proxy', async () => {
  const heard = await say('CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n');
  expect(bodyOf(heard)).toMatchObject({ code: 'http-method-unsupported' });
  expect(told).toHaveLength(1);
});

it('ignores an expectation that it does not know', async () => {
  const heard = await say(`GET /echo HTTP/1.1\r\nexpect: foo\r\n${CLOSE}`);
  expect(heard).toContain('host a');
});

it('reads a target in absolute form, whose host counts more than the header', async () => {
  expect(await say(`GET http://b:1/echo HTTP/1.1\r\n${CLOSE}`)).toContain('host b:1');
  expect(await say(`GET http://b/health/live HTTP/1.1\r\n${CLOSE}`)).toContain('"live"');
  const secret = `GET http://b/internal/identity/x HTTP/1.1\r\n${CLOSE}`;
  expect(bodyOf(await say(secret))).toMatchObject({ code: 'not-found' });
});

it('asks for the header Host, which only HTTP/1.0 may leave out', async () => {
  const without = await say('GET /health/live HTTP/1.1\r\nconnection: close\r\n\r\n');
  expect([statusLines(without), bodyOf(without)]).toMatchObject([
    ['HTTP/1.1 400'],
    { code: 'request-invalid', detail: 'Send the header `Host`.' },
  ]);
  expect(statusLines(await say('GET /health/live HTTP/1.0\r\n\r\n'))).toEqual(['HTTP/1.1 200']);
});

it('takes a connection on which nothing is said for no request', async () => {
  const socket = connect(Number(new URL(hosted.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.resetAndDestroy();
  await sleep(50);
  expect(told).toEqual([]);
});

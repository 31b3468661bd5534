import { PassThrough } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseJson, readBody } from './read-body.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const incoming = (headers: Record<string, string> = {}) =>
  Object.assign(new PassThrough(), { headers, complete: false }) as unknown as PassThrough &
    IncomingMessage;

describe('reading a body', () => {
  it('joins what comes in pieces', async () => {
    const request = incoming();
    const body = readBody(request, 10);
    request.write('{"a"');
    request.end(':1}');
    expect((await body).toString()).toBe('{"a":1}');
  });

  it('stops as soon as it is known to be too large', async () => {
    await expect(readBody(incoming({ 'content-length': '11' }), 10)).rejects.toEqual(
      code('body-too-large'),
    );
    const request = incoming();
    const body = readBody(request, 10);
    request.write('12345678901');
    await expect(body).rejects.toEqual(code('body-too-large'));
  });

  it('fails when the client goes away in the middle', async () => {
    const request = incoming();
    const body = readBody(request, 10);
    request.write('{');
    request.destroy();
    await expect(body).rejects.toEqual(code('json-malformed'));
  });
});

describe('parsing a body', () => {
  const parse = (text: string | Buffer): unknown => parseJson(Buffer.from(text));
  const nested = (depth: number) =>
    `{"a":${'['.repeat(depth - 1)}"${'x'.repeat(300)}"${']'.repeat(depth - 1)}}`;

  it('takes JSON of reasonable depth, whatever its texts hold', () => {
    expect(parse(nested(200))).toBeDefined();
    const text = `${'[{'.repeat(300)}"\\`;
    expect(parse(JSON.stringify({ text }))).toEqual({ text });
    expect(parse(JSON.stringify(Array.from({ length: 500 }, () => [{}])))).toHaveLength(500);
  });

  it('refuses what is nested deeper', () => {
    expect(() => parse(nested(201))).toThrow(code('json-malformed'));
  });

  it('refuses what is no JSON or no UTF-8', () => {
    expect(() => parse('')).toThrow(code('json-malformed'));
    expect(() => parse(Buffer.from([0x22, 0xff, 0x22]))).toThrow(code('json-malformed'));
  });
});

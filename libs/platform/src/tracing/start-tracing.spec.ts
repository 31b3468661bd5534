import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context } from '@opentelemetry/api';
import { eventually, freePort } from '@gatehouse/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../config/load-config.ts';
import { createLogger } from '../log/logger.ts';
import { isTracing, startSpan, withSpan } from './span.ts';
import { startTracing, type Tracing } from './start-tracing.ts';
import { tracingConfig } from './tracing.config.ts';

const lines: string[] = [];
const destination = { write: (line: string) => void lines.push(line) };
const log = createLogger({ service: 's', level: 'info', destination });
const trace = (settings: object): Promise<Tracing> =>
  startTracing(tracingConfig.schema.parse(settings), 'identity', log);

const servers: Server[] = [];
afterEach(() => {
  lines.length = 0;
  context.disable();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function collector(port = 0, status = 200): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-tracing-')), 'headers');
  writeFileSync(file, text);
  return file;
}

describe('tracing', () => {
  it('is off without a collector, and then nothing of the SDK is in the process', async () => {
    const door = new URL('./start-tracing.ts', import.meta.url).href;
    const script = `
      import { createRequire, registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
      const { startTracing } = await import(${JSON.stringify(door)});
      await startTracing({ sampleRatio: 1 }, 's', undefined);
      const packages = loaded.flatMap((url) => /node_modules\\/(@opentelemetry|yaml)\\//.exec(url)?.[1] ?? []);
      console.log(JSON.stringify([...new Set(packages)]));`;
    const child = spawn(process.execPath, [
      '--conditions=source',
      '--input-type=module',
      '-e',
      script,
    ]);
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    await once(child, 'close');
    expect({ code: child.exitCode, out: out.trim(), err }).toMatchObject({
      code: 0,
      out: '["yaml"]',
    });
  });

  it('sends what was recorded when it is closed, and says whose spans these are', async () => {
    const { url, received } = await collector();
    process.env['OTEL_EXPORTER_OTLP_HEADERS'] = 'x-from-the-environment=1';
    const tracing = await trace({ endpoint: url, headersFile: fileWith('x-api-key: abc\n\n') });
    delete process.env['OTEL_EXPORTER_OTLP_HEADERS'];
    startSpan('a', { from: null }).end();
    await tracing.close();
    expect(isTracing()).toBe(false);
    const [sent] = received;
    expect(sent?.path).toBe('/v1/traces');
    expect(sent?.headers).toMatchObject({ 'x-api-key': 'abc', 'content-type': 'application/json' });
    expect(sent?.headers).not.toHaveProperty('x-from-the-environment');
    const { resourceSpans } = JSON.parse(sent?.body ?? '') as {
      resourceSpans: { resource: { attributes: { key: string; value: object }[] } }[];
    };
    const told = resourceSpans[0]?.resource.attributes.map(({ key }) => key);
    expect(told).toEqual(
      expect.arrayContaining(['service.name', 'service.version', 'service.instance.id']),
    );
    expect(JSON.stringify(resourceSpans)).toContain('gatehouse-identity');
  });

  it('takes an address with a path as it is', async () => {
    const { url, received } = await collector();
    const tracing = await trace({ endpoint: `${url}/otlp/traces` });
    startSpan('a', { from: null }).end();
    await tracing.close();
    expect(received[0]?.path).toBe('/otlp/traces');
  });

  it('goes on without its collector, says so once, and says when it is back', async () => {
    const port = await freePort();
    const tracing = await trace({ endpoint: `http://127.0.0.1:${port}` });
    const sayings = (): unknown[] => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    withSpan('lost', { from: null }, () => undefined);
    const lost = 'the trace collector takes no spans: they are lost until it does';
    await eventually(() => expect(sayings()).toEqual([lost]), { timeoutMs: 20_000 });
    startSpan('lost too', { from: null }).end();
    await eventually(
      async () => {
        const { received } = servers.length === 0 ? await collector(port) : { received: [] };
        startSpan('found', { from: null }).end();
        expect(received).toEqual([]);
        expect(sayings()).toContain('the trace collector takes spans again');
      },
      { timeoutMs: 30_000, everyMs: 500 },
    );
    expect(sayings().filter((saying) => saying === lost)).toHaveLength(1);
    expect(lines.join('')).not.toContain('trace_id');
    await tracing.close();
  }, 60_000);

  it('does not wait for a collector that takes and never answers', async () => {
    const server = createServer(() => undefined);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const tracing = await trace({ endpoint: `http://127.0.0.1:${port}` });
    startSpan('a', { from: null }).end();
    await tracing.close();
    await eventually(() => {
      const open = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap');
      expect(open).toEqual([]);
    });
  }, 30_000);

  it.each([
    ['a file that is not there', '/nowhere/headers', /nowhere/],
    ['a line without a colon', 'secret-without-a-name', /line 1/],
    ['a name that is none', 'x-good: 1\nnot a name: secret', /line 2/],
  ])('does not start with %s for headers, and shows no secret', async (_what, text, complaint) => {
    const headersFile = text.startsWith('/') ? text : fileWith(text);
    const attempt = trace({ endpoint: 'http://127.0.0.1:9', headersFile });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(complaint);
    await expect(attempt).rejects.not.toThrow(/secret/);
  });
});

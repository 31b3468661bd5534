import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

describe('the TCP proxy', () => {
  const echo = createServer((socket) => {
    socket.on('data', (data) => (arrived += String(data)));
    socket.on('error', () => undefined).pipe(socket);
  });
  let proxy: TcpProxy;
  let client: Socket;
  let heard: string;
  let arrived: string;

  beforeEach(async () => {
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    proxy = await startTcpProxy((echo.address() as AddressInfo).port);
    client = connect({ port: proxy.port, host: '127.0.0.1' });
    [heard, arrived] = ['', ''];
    client.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    await once(client, 'connect');
  });
  afterEach(async () => {
    client.destroy();
    await proxy.stop();
    await new Promise((resolve) => echo.close(resolve));
  });

  it('holds back what is sent while frozen, and lets it flow on', async () => {
    client.write('a');
    await eventually(() => expect(heard).toBe('a'));
    proxy.freeze();
    client.write('b');
    await sleep(50);
    expect(heard).toBe('a');
    proxy.thaw();
    await eventually(() => expect(heard).toBe('ab'));
  });

  it('swallows the answer to one request, then breaks the connection', async () => {
    proxy.loseNextAnswer((request) => request.includes('this'));
    client.write('other');
    await eventually(() => expect(heard).toBe('other'));
    client.write('this');
    await once(client, 'close');
    expect(heard).toBe('other');
  });

  it('loses only the answers when it is frozen that way', async () => {
    proxy.freeze('answers');
    client.write('question');
    await eventually(() => expect(arrived).toBe('question'));
    await sleep(50);
    expect(heard).toBe('');
    proxy.thaw();
    await eventually(() => expect(heard).toBe('question'));
  });

  it('resets what is open and what is new while cut, and lets new ones in when mended', async () => {
    const errors: unknown[] = [];
    client.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code));
    const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));
    proxy.cut();
    await closed(client);
    const refused = connect({ port: proxy.port, host: '127.0.0.1' });
    refused.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code));
    await closed(refused);
    expect(errors).toEqual(['ECONNRESET', 'ECONNRESET']);
    proxy.mend();
    client = connect({ port: proxy.port, host: '127.0.0.1' });
    client.on('data', (data) => (heard += String(data)));
    client.write('again');
    await eventually(() => expect(heard).toBe('again'));
  });

  it('takes its time where told to, and overtakes nothing when it no longer does', async () => {
    proxy.delay(40);
    const start = performance.now();
    client.write('a');
    await eventually(() => expect(heard).toBe('a'), { everyMs: 5 });
    expect(performance.now() - start).toBeGreaterThan(70);
    client.write('b');
    await sleep(5);
    proxy.delay(0);
    client.write('c');
    await eventually(() => expect(heard).toBe('abc'));
  });
});

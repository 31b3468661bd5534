import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

describe('the TCP proxy', () => {
  const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  let proxy: TcpProxy;
  let client: Socket;
  let heard: string;

  beforeEach(async () => {
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    proxy = await startTcpProxy((echo.address() as AddressInfo).port);
    client = connect({ port: proxy.port, host: '127.0.0.1' });
    heard = '';
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
});

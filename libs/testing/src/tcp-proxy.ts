import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wire that a test can cut: everything passes through until told otherwise. */
export interface TcpProxy {
  readonly port: number;
  /** Nothing passes any more, and nobody is told: what a dead network looks like. */
  freeze(): void;
  /** What was held back flows on. */
  thaw(): void;
  /** The next such request still arrives, but its answer is swallowed, and shortly after the connection breaks. */
  loseNextAnswer(isSuch: (request: Buffer) => boolean): void;
  stop(): Promise<void>;
}

const LOST_ANSWER_BREAKS_MS = 150;

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Starts a proxy on a free loopback port to a port of this machine. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let frozen = false;
  let losing: ((request: Buffer) => boolean) | undefined;

  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    const pair = { client, server };
    pairs.add(pair);
    let swallowing = false;
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on('data', (data: Buffer) => {
      if (losing?.(data) === true) {
        losing = undefined;
        swallowing = true;
        setTimeout(end, LOST_ANSWER_BREAKS_MS);
      }
      server.write(data);
    });
    server.on('data', (data) => {
      if (!swallowing) client.write(data);
    });
    for (const socket of [client, server]) socket.on('close', end).on('error', end);
    if (frozen) pause(pair);
  });
  const pause = ({ client, server }: Pair): void => {
    client.pause();
    server.pause();
  };
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));

  return {
    port: (listener.address() as AddressInfo).port,
    freeze() {
      frozen = true;
      for (const pair of pairs) pause(pair);
    },
    thaw() {
      frozen = false;
      for (const { client, server } of pairs) {
        client.resume();
        server.resume();
      }
    },
    loseNextAnswer(isSuch) {
      losing = isSuch;
    },
    async stop() {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
      await closed;
    },
  };
}

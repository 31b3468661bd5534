import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A wire that a test can cut: everything passes through until told otherwise. */
export interface TcpProxy {
  readonly port: number;
  /** Nothing passes any more, and nobody is told: what a dead network looks like, or its half where only answers are lost. */
  freeze(what?: 'both ways' | 'answers'): void;
  /** What was held back flows on. */
  thaw(): void;
  /** Every connection is reset at once, and so is every new one until `mend`. */
  cut(): void;
  mend(): void;
  /** From now on what passes takes this long, each way. */
  delay(milliseconds: number): void;
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
  let frozen: 'both ways' | 'answers' | undefined;
  let isCut = false;
  let delayMs = 0;
  let losing: ((request: Buffer) => boolean) | undefined;

  const underWay = new WeakMap<Socket, Promise<void>>();
  const pass = (to: Socket, data: Buffer): void => {
    const before = underWay.get(to);
    if (delayMs === 0 && before === undefined) return void to.write(data);
    // One after the other, so that a delay that ends overtakes nothing.
    const arrival = Promise.all([before, sleep(delayMs)]).then(() => {
      if (to.writable) to.write(data);
      if (underWay.get(to) === arrival) underWay.delete(to);
    });
    underWay.set(to, arrival);
  };
  const hold = ({ client, server }: Pair): void => {
    if (frozen === 'both ways') client.pause();
    server.pause();
  };
  const listener = createServer({ noDelay: true }, (client) => {
    client.on('error', () => undefined);
    if (isCut) return void client.resetAndDestroy();
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
      pass(server, data);
    });
    server.on('data', (data: Buffer) => {
      if (!swallowing) pass(client, data);
    });
    for (const socket of [client, server]) socket.on('close', end).on('error', end);
    if (frozen !== undefined) hold(pair);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));

  return {
    port: (listener.address() as AddressInfo).port,
    freeze(what = 'both ways') {
      frozen = what;
      for (const pair of pairs) hold(pair);
    },
    thaw() {
      frozen = undefined;
      for (const { client, server } of pairs) {
        client.resume();
        server.resume();
      }
    },
    cut() {
      isCut = true;
      for (const { client, server } of pairs) {
        client.resetAndDestroy();
        server.destroy();
      }
    },
    mend() {
      isCut = false;
    },
    delay(milliseconds) {
      delayMs = milliseconds;
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

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

/** Writes at once, or as much later as is asked for: one after the other, so that a delay that ends overtakes nothing. */
function inOrder(delayMs: () => number): (to: Socket, data: Buffer) => void {
  const underWay = new WeakMap<Socket, Promise<void>>();
  return (to, data) => {
    const before = underWay.get(to);
    if (delayMs() === 0 && before === undefined) return void to.write(data);
    const arrival = Promise.all([before, sleep(delayMs())]).then(() => {
      if (to.writable) to.write(data);
      if (underWay.get(to) === arrival) underWay.delete(to);
    });
    underWay.set(to, arrival);
  };
}

/** Starts a proxy on a free loopback port to a port of this machine. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const wire = new Wire(targetPort);
  const listener = createServer({ noDelay: true }, (client) => wire.carry(client));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    freeze: (what = 'both ways') => wire.freeze(what),
    thaw: () => wire.thaw(),
    cut: () => wire.cut(),
    mend() {
      wire.isCut = false;
    },
    delay(milliseconds) {
      wire.delayMs = milliseconds;
    },
    loseNextAnswer(isSuch) {
      wire.losing = isSuch;
    },
    async stop() {
      const closed = new Promise((resolve) => listener.close(resolve));
      wire.cut();
      await closed;
    },
  };
}

class Wire {
  isCut = false;
  delayMs = 0;
  losing: ((request: Buffer) => boolean) | undefined;
  readonly #targetPort: number;
  readonly #pairs = new Set<Pair>();
  readonly #pass = inOrder(() => this.delayMs);
  #frozen: 'both ways' | 'answers' | undefined;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  carry(client: Socket): void {
    client.on('error', () => undefined);
    if (this.isCut) return void client.resetAndDestroy();
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    const pair = { client, server };
    this.#pairs.add(pair);
    let swallowing = false;
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on('data', (data: Buffer) => {
      if (this.losing?.(data) === true) {
        this.losing = undefined;
        swallowing = true;
        setTimeout(end, LOST_ANSWER_BREAKS_MS);
      }
      this.#pass(server, data);
    });
    server.on('data', (data: Buffer) => {
      if (!swallowing) this.#pass(client, data);
    });
    for (const socket of [client, server]) socket.on('close', end).on('error', end);
    this.#hold(pair);
  }

  freeze(what: 'both ways' | 'answers'): void {
    this.#frozen = what;
    for (const pair of this.#pairs) this.#hold(pair);
  }

  thaw(): void {
    this.#frozen = undefined;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  cut(): void {
    this.isCut = true;
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  #hold({ client, server }: Pair): void {
    if (this.#frozen === 'both ways') client.pause();
    if (this.#frozen !== undefined) server.pause();
  }
}

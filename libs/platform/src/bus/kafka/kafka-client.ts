import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type ISocketFactory, type Kafka, type KafkaConfig } from 'kafkajs';
import type { Logger } from '../../log/logger.ts';
import { calmIdleConnections } from './calm-idle-connections.ts';
import { kafkaLogCreator } from './kafka-log.ts';

/** Where the cluster is and how one signs in; `socketFactory` for another way to it. */
export type KafkaConnection = Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl' | 'socketFactory'> & {
  readonly clientId?: string;
};

export interface KafkaClientOptions {
  readonly connection: KafkaConnection;
  readonly log: Logger;
  readonly requestMs: number;
}

const CONNECT_MS = 3_000;
const KEEP_ALIVE_MS = 60_000;
const DISCONNECT_MS = 1_000;
const ENDED = 'the client was ended';

const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls(
        { host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl },
        onConnect,
      )
    : connect({ host, port, noDelay: true }, onConnect);
  return socket.setKeepAlive(true, KEEP_ALIVE_MS);
};

/**
 * A kafkajs client for one producer, consumer or admin, and for that one alone: kafkajs lets the consumers of a client
 * share what it believes to be committed. Its sockets are ours to cut, as kafkajs waits without end for a dead network.
 */
export class KafkaClient {
  readonly kafka: Kafka;
  readonly #sockets = new Set<Socket>();
  #isEnded = false;

  constructor({ connection, log, requestMs }: KafkaClientOptions) {
    calmIdleConnections();
    const { socketFactory = openSocket, ...where } = connection;
    this.kafka = new kafkajs.Kafka({
      clientId: 'gatehouse',
      ...where,
      connectionTimeout: CONNECT_MS,
      requestTimeout: requestMs,
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
      logLevel: kafkajs.logLevel.WARN,
      logCreator: kafkaLogCreator(log),
      socketFactory: (args) => {
        const socket = socketFactory(args);
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        // What was asked before the end is tried again after it: such a connection would be nobody's, and keep the process alive.
        if (this.#isEnded) socket.destroy(new Error(ENDED));
        return socket;
      },
    });
  }

  /** Ends what runs on this client: politely if that goes quickly, else by cutting its sockets. Never rejects. */
  async end(disconnect: () => Promise<void>, withinMs = DISCONNECT_MS): Promise<void> {
    const polite = disconnect().catch(() => undefined);
    const tooLong = new AbortController();
    await Promise.race([
      polite,
      sleep(withinMs, undefined, { signal: tooLong.signal }).catch(() => undefined),
    ]);
    tooLong.abort();
    this.#isEnded = true;
    for (const socket of this.#sockets) socket.destroy(new Error(ENDED));
  }
}

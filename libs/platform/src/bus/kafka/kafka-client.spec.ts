import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLogger } from '../../log/logger.ts';
import { KafkaClient } from './kafka-client.ts';

const log = createLogger({ service: 'kafka-spec', level: 'silent' });

/** Takes connections, and answers nothing. */
let silent: Server;
beforeEach(async () => {
  silent = createServer((socket) => socket.resume().on('error', () => undefined));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
});
afterEach(() => {
  silent.close();
});

const connections = (): Promise<number> =>
  new Promise((resolve, reject) => {
    silent.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

it('leaves no connection open once it was ended, though what was asked of it is tried again', async () => {
  const { port } = silent.address() as AddressInfo;
  const client = new KafkaClient({
    connection: { brokers: [`127.0.0.1:${port}`] },
    log,
    requestMs: 60_000,
  });
  const admin = client.kafka.admin();
  const asked = admin.listTopics().catch((error: unknown) => error);
  await eventually(async () => expect(await connections()).toBe(1));
  await client.end(() => admin.disconnect(), 50);
  expect(await asked).toBeInstanceOf(Error);
  await eventually(async () => expect(await connections()).toBe(0));
  await expect(admin.connect()).rejects.toThrow();
  await eventually(async () => expect(await connections()).toBe(0));
});

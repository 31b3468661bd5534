import { randomUUID } from 'node:crypto';
import { topics, type TopicDefinition } from '@gatehouse/event-catalog';
import { eventually, startSecureKafka, type SecureKafka } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../log/logger.ts';
import { kafkaConnection, readBusAddress, type BusSettings } from '../../process/bus-address.ts';
import { KafkaEventBus } from './kafka-event-bus.ts';
import type { KafkaConnection } from './kafka-client.ts';
import { applyKafkaTopics } from './kafka-operations.ts';

const log = createLogger({ service: 'secure', level: 'silent' });
const timing = { pollMs: 100, requestMs: 2_000, joinPatienceMs: 1_000 };
const history: TopicDefinition = { ...topics.identity, name: 'secure.history', partitions: 1 };
const state: TopicDefinition = { ...topics.principalsState, name: 'secure.state', partitions: 1 };

let kafka: SecureKafka;
let buses: KafkaEventBus[] = [];
beforeAll(async () => {
  kafka = await startSecureKafka();
  const connection = { brokers: [kafka.bootstrap] };
  await applyKafkaTopics({ connection, log }, [history, state], { replicationFactor: 1 });
});
afterEach(async () => {
  for (const bus of buses) await bus.close();
  buses = [];
});
afterAll(() => kafka?.stop());

/** As a process is connected: by its settings, and the files that they name. */
async function connectionBy(settings: Partial<BusSettings>): Promise<KafkaConnection> {
  const defaults = { busUrl: '', busSasl: 'scram-sha-512' } as const;
  return kafkaConnection(await readBusAddress({ ...defaults, ...settings }));
}

async function busBy(settings: Partial<BusSettings>): Promise<KafkaEventBus> {
  const bus = new KafkaEventBus({ connection: await connectionBy(settings), log, timing });
  buses.push(bus);
  return bus;
}

const signedIn = (): Partial<BusSettings> => ({
  busUrl: `kafkas://${kafka.scram.name}@localhost:${kafka.signInPort}`,
  busPasswordFile: kafka.scram.passwordFile,
  busCaFile: kafka.caFile,
});
const signedInPlainly = (): Partial<BusSettings> => ({
  busUrl: `kafkas://${kafka.plain.name}@localhost:${kafka.signInPort}`,
  busPasswordFile: kafka.plain.passwordFile,
  busCaFile: kafka.caFile,
  busSasl: 'plain',
});
const byCertificate = (): Partial<BusSettings> => ({
  busUrl: `kafkas://localhost:${kafka.certificatePort}`,
  busCaFile: kafka.caFile,
  busCertificateFile: kafka.clientCertificateFile,
  busKeyFile: kafka.clientKeyFile,
});

describe('a Kafka cluster behind TLS', () => {
  it.each([
    ['by SCRAM-SHA-512', signedIn],
    ['by PLAIN', signedInPlainly],
    ['by a certificate of its own', byCertificate],
  ])('serves who signs in %s: publishes, delivers, hands state over', async (_, settings) => {
    const bus = await busBy(settings());
    await bus.reach();
    const value = randomUUID();
    const seen: string[] = [];
    await bus.subscribe({
      group: randomUUID(),
      topics: [history],
      handle: async ({ messages }) => void seen.push(...messages.map((one) => String(one.value))),
    });
    await bus.publish(history, [message('k', value)]);
    await bus.publish(state, [message('entity', value)]);
    await eventually(() => expect(seen).toContain(value), { timeoutMs: 20_000 });
    const known = new Map<string, string>();
    const reader = await bus.readAll(
      state,
      (one) => void known.set(String(one.key), String(one.value)),
    );
    await reader.caughtUp;
    expect(known.get('entity')).toBe(value);
  });

  it.each<[string, () => Partial<BusSettings>, RegExp]>([
    [
      'a wrong password',
      () => ({ ...signedIn(), busPasswordFile: kafka.wrongPasswordFile }),
      /^Kafka refuses the sign-in: .*invalid credentials/,
    ],
    [
      'a wrong password, plainly',
      () => ({ ...signedInPlainly(), busPasswordFile: kafka.wrongPasswordFile }),
      /^Kafka refuses the sign-in: /,
    ],
    [
      'an authority that did not sign it',
      () => ({ ...signedIn(), busCaFile: kafka.strangersCaFile }),
      /^the certificate of Kafka is not trusted: /,
    ],
    [
      'nobody to trust but those that Node does',
      () => ({ busUrl: signedIn().busUrl!, busPasswordFile: kafka.scram.passwordFile }),
      /^the certificate of Kafka is not trusted: /,
    ],
    [
      'an address that its certificate does not name',
      () => ({ ...signedIn(), busUrl: signedIn().busUrl!.replace('localhost', '127.0.0.1') }),
      /^the certificate of Kafka is not trusted: .*altnames/,
    ],
    [
      'no certificate, where one is asked for',
      () => ({ busUrl: byCertificate().busUrl!, busCaFile: kafka.caFile }),
      /^Kafka does not accept our certificate: /,
    ],
  ])('is not reached with %s, and says why', async (_, settings, reason) => {
    const bus = await busBy(settings());
    await expect(bus.reach()).rejects.toThrow(reason);
    expect(await bus.health()).toEqual({ healthy: false, detail: expect.stringMatching(reason) });
    await expect(bus.publish(history, [message('k', 'never')])).rejects.toThrow();
  });

  it('is not reached in clear, whatever is said there', async () => {
    const brokers = [`localhost:${kafka.signInPort}`];
    const bus = new KafkaEventBus({ connection: { brokers }, log, timing });
    buses.push(bus);
    await expect(bus.reach()).rejects.toThrow('Kafka does not answer');
  });
});

function message(key: string, value: string) {
  return { key, value: Buffer.from(value), headers: { position: '1' } };
}

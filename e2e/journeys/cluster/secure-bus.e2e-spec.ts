import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, startSecureKafka, type SecureKafka } from '@gatehouse/testing';
import kafkajs from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND, runCommand } from '../harness/gatehouse-process.ts';
import { messagesOf, type TopicMessage } from '../harness/topic-messages.ts';

let kafka: SecureKafka;
let folder: string;
let gateway: ChildProcess | undefined;
beforeAll(async () => {
  kafka = await startSecureKafka();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-secure-bus-'));
  await writeFile(join(folder, 'service-token'), 'a service token of good length\n');
});
afterEach(async () => {
  const running = gateway;
  gateway = undefined;
  if (running === undefined || running.exitCode !== null) return;
  running.kill('SIGKILL');
  await once(running, 'exit');
});
afterAll(async () => {
  await kafka?.stop();
  await rm(folder, { recursive: true, force: true });
});

const signedIn = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  GATEHOUSE_BUS_URL: `kafkas://${kafka.scram.name}@localhost:${kafka.signInPort}`,
  GATEHOUSE_BUS_PASSWORD_FILE: kafka.scram.passwordFile,
  GATEHOUSE_BUS_CA_FILE: kafka.caFile,
});

/** A gateway, which stands on the bus alone, and what it says. */
async function startGateway(
  env: Record<string, string>,
): Promise<{ log(): string; pending(): Promise<string> }> {
  const port = await freePort();
  const child = spawn(process.execPath, [...COMMAND, 'serve', 'gateway'], {
    env: {
      ...env,
      GATEHOUSE_PORT: String(port),
      GATEHOUSE_DATA: join(folder, 'data'),
      GATEHOUSE_SERVICE_TOKEN_FILE: join(folder, 'service-token'),
    },
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  gateway = child;
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  return {
    log: () => log,
    async pending() {
      const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
      return response.text();
    },
  };
}

/** By the broker's own back door, as somebody who is not Gatehouse. Answers where it lies then. */
async function send(
  topic: string,
  message: kafkajs.Message,
): Promise<{ partition: number; offset: string }> {
  const stranger = new kafkajs.Kafka({
    clientId: 'stranger',
    brokers: [kafka.bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = stranger.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const [stored] = await producer.send({ topic, acks: -1, messages: [message] });
  await producer.disconnect();
  return { partition: stored!.partition, offset: stored!.baseOffset! };
}

const all = (topic: string): Promise<readonly TopicMessage[]> =>
  messagesOf(`kafka://${kafka.bootstrap}`, topic);

const BUS = 'the event bus';
const patient = { timeoutMs: 40_000, everyMs: 100 };

describe('a process whose bus is a Kafka that asks who comes', () => {
  it('makes the topics there', async () => {
    const { code, stdout, stderr } = await runCommand(['topics', 'apply'], signedIn(), folder);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('gatehouse.identity.v1: created');
  });

  it('finds them as they should be when asked again', async () => {
    const again = await runCommand(['topics', 'apply'], signedIn(), folder);
    expect(again).toEqual({ code: 0, stdout: 'The topics are as they should be.\n', stderr: '' });
  });

  it('does not lay them out for other replicas than they have', async () => {
    const three = { ...signedIn(), GATEHOUSE_TOPICS_REPLICATION_FACTOR: '3' };
    const { code, stdout, stderr } = await runCommand(['topics', 'apply'], three, folder);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('gatehouse.state.policy.v1 has 1 replica instead of 3');
    expect(stderr).toContain('set GATEHOUSE_TOPICS_REPLICATION_FACTOR');
  });

  it('parks a message where it lies, and publishes it again, once', async () => {
    const topic = 'gatehouse.registry.v1';
    const headers = { ce_type: 'kept' };
    const message = { key: 'k', value: 'in the way', headers };
    await send(topic, { ...message, value: 'not in the way' });
    const { partition, offset } = await send(topic, message);
    const place = `${topic}/${partition}@${offset}`;
    const command = (...args: string[]) => runCommand(['topics', ...args], signedIn(), folder);
    const said = (stdout: string) => ({ code: 0, stdout, stderr: '' });

    expect(await command('park', place)).toEqual(said(`${place} is parked in ${topic}.dlq.\n`));
    const from = { dlq_topic: topic, dlq_partition: String(partition), dlq_offset: offset };
    expect(await all(`${topic}.dlq`)).toEqual([
      { ...message, headers: { ...headers, ...from, dlq_error: 'parked by hand' } },
    ]);

    const replayed = (count: number) =>
      said(`${count} dead letters of ${topic} were published again.\n`);
    expect(await command('replay', topic)).toEqual(replayed(1));
    expect(await command('replay', topic)).toEqual(replayed(0));
    expect(await all(topic)).toEqual([
      { ...message, value: 'not in the way' },
      message,
      { ...message, headers: { ...headers, replay_of: place } },
    ]);
  });

  it.each([
    [
      'gatehouse.state.policy.v1',
      'gatehouse.state.policy.v1 is a topic of state, of which nothing is ever parked: it has no dead letters to replay',
    ],
    ['gatehouse.nowhere.v1', 'there is no topic gatehouse.nowhere.v1'],
  ])('has nothing to replay of %s', async (topic, reason) => {
    const result = await runCommand(['topics', 'replay', topic], signedIn(), folder);
    expect(result).toEqual({ code: 2, stdout: '', stderr: `gatehouse: ${reason}\n` });
  });

  it('serves once it is let in, by secrets that it has from files', async () => {
    const { log, pending } = await startGateway(signedIn());
    await eventually(async () => expect(await pending()).not.toContain(BUS), patient);
    expect(log()).not.toContain(BUS);
  });

  it.each<[string, () => Record<string, string>, string]>([
    [
      'its password is wrong',
      () => ({ GATEHOUSE_BUS_PASSWORD_FILE: kafka.wrongPasswordFile }),
      'Kafka refuses the sign-in',
    ],
    [
      'it does not trust who signed the certificate',
      () => ({ GATEHOUSE_BUS_CA_FILE: kafka.strangersCaFile }),
      'the certificate of Kafka is not trusted',
    ],
    [
      'the certificate is of another host',
      () => ({
        GATEHOUSE_BUS_URL: signedIn()['GATEHOUSE_BUS_URL']!.replace('localhost', '127.0.0.1'),
      }),
      'the certificate of Kafka is not trusted',
    ],
  ])('waits and says why where %s', async (_, wrong, reason) => {
    const { log, pending } = await startGateway({ ...signedIn(), ...wrong() });
    await eventually(() => {
      const waiting = log()
        .split('\n')
        .filter((line) => line.includes(`waiting for ${BUS}`));
      expect(waiting.join('\n')).toContain(reason);
    }, patient);
    expect(await pending()).toContain(BUS);
    expect(log()).not.toContain(kafka.scram.password);
    expect(log()).not.toContain('not-it');
  });

  it('does not start on settings that only seem to protect it', async () => {
    const inClear = { GATEHOUSE_BUS_URL: `kafka://localhost:${kafka.signInPort}` };
    const { code, stderr } = await runCommand(
      ['serve', 'gateway'],
      {
        ...signedIn(),
        ...inClear,
        GATEHOUSE_SERVICE_TOKEN_FILE: join(folder, 'service-token'),
      },
      folder,
    );
    expect(code).toBe(2);
    expect(stderr).toContain('busCaFile: it is for TLS');
  });
});

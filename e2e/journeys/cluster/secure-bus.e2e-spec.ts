import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, startSecureKafka, type SecureKafka } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND, runCommand } from '../harness/gatehouse-process.ts';

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

const BUS = 'the event bus';
const patient = { timeoutMs: 40_000, everyMs: 100 };

describe('a process whose bus is a Kafka that asks who comes', () => {
  it('makes the topics there', async () => {
    const { code, stdout, stderr } = await runCommand(['topics', 'apply'], signedIn(), folder);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('gatehouse.identity.v1: created');
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

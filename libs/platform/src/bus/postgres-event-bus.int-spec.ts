import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually, startTcpProxy, startThrowAwayPostgres } from '@gatehouse/testing';
import { Pool } from 'pg';
import { expect } from 'vitest';
import { platformMigrations } from '../database/platform-migrations.ts';
import { migrate } from '../database/migrate.ts';
import { createLogger } from '../log/logger.ts';
import {
  describeEventBusContract,
  type BusHarness,
  type BusUnderTest,
  type MemberProcess,
} from './bus.contract.ts';
import type { BusTiming } from './bus-timing.ts';
import { PostgresEventBus } from './postgres-event-bus.ts';
import { replayDeadLetters } from './replay-dead-letters.ts';

const log = createLogger({ service: 'contract', level: 'silent' });
const timing: Partial<BusTiming> = {
  heartbeatMs: 300,
  leaseMs: 1_500,
  retryFirstMs: 10,
  retryCapMs: 200,
  stallRetryMs: 100,
};

function poolOf(url: string, max = 4): Pool {
  const pool = new Pool({ connectionString: url, max });
  pool.on('error', () => undefined);
  return pool;
}

async function connect(url: string): Promise<BusUnderTest> {
  const direct = new URL(url);
  const proxy = await startTcpProxy(Number(direct.port));
  direct.port = String(proxy.port);
  const pool = poolOf(direct.href);
  const alarms: string[] = [];
  const bus = new PostgresEventBus({ pool, log, timing, onAlarm: (alarm) => alarms.push(alarm) });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await bus.close();
    await pool.end();
    await proxy.stop();
  };
  return {
    bus,
    alarms,
    isolate: () => proxy.freeze(),
    reconnect: () => proxy.thaw(),
    loseNextAck: () => proxy.loseNextAnswer(),
    close: () => (closing ??= close()),
  };
}

async function startMember(
  ...args: [url: string, group: string, topic: string]
): Promise<MemberProcess> {
  const script = fileURLToPath(new URL('member-process.contract.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  child.stdout
    .setEncoding('utf8')
    .on('data', (chunk: string) => lines.push(...chunk.trim().split('\n')));
  const exited = once(child, 'exit');
  await eventually(() => expect(lines).toContain('subscribed'), { timeoutMs: 10_000 });
  return {
    get handled() {
      return lines.filter((line) => line !== 'subscribed');
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function makeHarness(): Promise<BusHarness> {
  const postgres = await startThrowAwayPostgres();
  const ownerUrl = await postgres.createDatabase();
  await migrate(ownerUrl, [
    { schema: 'bus', role: 'gatehouse_bus', password: 'bus', folders: [platformMigrations.bus] },
  ]);
  const asRole = new URL(ownerUrl);
  asRole.username = 'gatehouse_bus';
  asRole.password = 'bus';
  const url = asRole.href;
  const admin = poolOf(ownerUrl, 1);
  const members: MemberProcess[] = [];
  return {
    deadAfterMs: timing.leaseMs!,
    connect: () => connect(url),
    async startMember(group, topic) {
      const member = await startMember(url, group, JSON.stringify(topic));
      members.push(member);
      return member;
    },
    restartBroker: () => postgres.restart(),
    async discardBefore({ name }, partition, offset) {
      await admin.query(
        'update bus.topic_partition set low = $3 where topic = $1 and partition = $2',
        [name, partition, offset],
      );
      await admin.query(
        'delete from bus.message where topic = $1 and partition = $2 and "offset" < $3',
        [name, partition, offset],
      );
    },
    replayDeadLetters: (bus, topic) => replayDeadLetters(bus, admin, topic),
    async close() {
      await Promise.all(members.map((member) => member.kill()));
      await admin.end();
      await postgres.stop();
    },
  };
}

describeEventBusContract('the PostgreSQL log', makeHarness);

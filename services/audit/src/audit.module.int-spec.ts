import { auditQueries, topics } from '@gatehouse/event-catalog';
import { host, OwnerClient, type Hosted } from '@gatehouse/platform';
import { scrape, startTestPlatform, type TestPlatform } from '@gatehouse/platform/testing';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditConfig } from './audit.config.ts';
import { auditService } from './audit.module.ts';
import { auditMigrations } from './migrations.ts';
import { sampleRecord } from './trail/sample-record.ts';

describe('audit as a process', () => {
  let world: TestPlatform;
  let hosted: Hosted;
  beforeAll(async () => {
    world = await startTestPlatform({ schemas: [auditMigrations] });
    const services = [auditService(world.platform, auditConfig.schema.parse({}))];
    expect(world.platform.readiness.pending).toEqual(['audit-trail']);
    hosted = await host({ platform: world.platform, services, host: '127.0.0.1', port: 0 });
    world.serveAt(hosted.url);
  });
  afterAll(async () => {
    await hosted.close();
    await world.stop();
  });
  const by = {
    actor: { kind: 'service', id: 'admin', name: 'admin' },
    correlationId: 'c',
  } as const;
  const search = (after: string | null) =>
    new OwnerClient(world.platform).query(
      'audit',
      auditQueries,
      'search',
      { filter: {}, first: 1, after },
      by,
    );

  test('is ready once it follows the gates, and answers with what they published', async () => {
    expect(world.platform.readiness.pending).toEqual([]);
    const records = [sampleRecord({ sequence: 1 }), sampleRecord({ sequence: 2 })];
    const messages = records.map((record) => ({
      key: record.source,
      value: Buffer.from(JSON.stringify(record)),
      headers: {},
    }));
    await world.platform.bus.publish(topics.auditRaw, messages);
    const page = await eventually(async () => {
      const found = await search(null);
      expect(found.hasNextPage).toBe(true);
      return found;
    });
    expect(auditQueries.search.result.parse(page)).toEqual(page);
    expect(page.rows).toEqual([{ index: 1, record: records[1] }]);
    expect((await search(page.endCursor)).rows).toEqual([{ index: 0, record: records[0] }]);
  });

  test('refuses by catalogue code', async () => {
    await expect(search('made-up')).rejects.toMatchObject({ code: 'cursor-invalid' });
    const reveal = new OwnerClient(world.platform).query(
      'audit',
      auditQueries,
      'reveal',
      { id: 'nobody' },
      by,
    );
    await expect(reveal).rejects.toMatchObject({ code: 'audit-record-unknown' });
  });

  test('tells Prometheus what it stored, what came again, and what never came', async () => {
    const publish = (...sequences: number[]): Promise<void> =>
      world.platform.bus.publish(
        topics.auditRaw,
        sequences.map((sequence) => ({
          key: sampleRecord({ sequence }).source,
          value: Buffer.from(JSON.stringify(sampleRecord({ sequence }))),
          headers: {},
        })),
      );
    const of = { service: 'audit' };
    const before = await scrape(hosted.url);
    const value = (name: string): number => before.value(`gatehouse_audit_${name}`, of) ?? 0;
    await publish(2, 3, 7);
    await eventually(async () => {
      const after = await scrape(hosted.url);
      const added = (name: string): number =>
        (after.value(`gatehouse_audit_${name}`, of) ?? 0) - value(name);
      expect(added('records_stored_total')).toBe(2);
      expect(added('duplicates_dropped_total')).toBe(1);
      expect(added('gaps_total')).toBe(1);
      expect(added('missing_records_total')).toBe(3);
      expect(added('last_index')).toBe(2);
      expect(added('record_delay_seconds_count')).toBeGreaterThan(0);
      const lag = { topic: topics.auditRaw.name, group: 'gatehouse.audit.trail' };
      expect(after.value('gatehouse_bus_consumer_lag_messages', lag)).toBe(0);
    });
  });
});

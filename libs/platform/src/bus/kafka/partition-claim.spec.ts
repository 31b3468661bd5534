import { eventually } from '@gatehouse/testing';
import type { EachBatchPayload } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../log/logger.ts';
import { defaultKafkaTiming } from './kafka-timing.ts';
import { PartitionClaim } from './partition-claim.ts';

const timing = { ...defaultKafkaTiming, handOverMs: 1, busyAlarmMs: 20 };
const oneMessage = {
  batch: { highWatermark: '1', messages: [{ offset: '0', value: null, headers: {} }] },
  isRunning: () => true,
  isStale: () => false,
  pause: () => () => undefined,
  resolveOffset: () => undefined,
} as unknown as EachBatchPayload;

describe('a handler that does not return', () => {
  it('is told of as an alarm, also while others wait for it to leave, and no more once it has returned', async () => {
    const lines: string[] = [];
    const log = createLogger({
      service: 'test',
      level: 'error',
      destination: { write: (line) => void lines.push(line) },
    });
    let goOn!: () => void;
    const hanging = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const work = {
      commits: false,
      begin: async () => ({ start: 0, committed: undefined, end: 1 }),
      deliver: () => hanging,
    };
    const claim = new PartitionClaim({ topic: 'news', partition: 3 }, work, { timing, log });
    await claim.settle(
      async () => undefined,
      () => undefined,
    );
    await claim.take(oneMessage);
    const leaving = claim.giveUp();
    await eventually(() => expect(lines.length).toBeGreaterThan(1));
    expect(JSON.parse(lines[0]!)).toMatchObject({
      topic: 'news',
      partition: 3,
      next: 0,
      msg: expect.stringMatching(/^ALARM: a batch has been in hand for too long/),
    });
    goOn();
    await leaving;
    const told = lines.length;
    await new Promise((resolve) => setTimeout(resolve, 3 * timing.busyAlarmMs));
    expect(lines).toHaveLength(told);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { counter, gauge, histogram, metricFamilies } from './metric.ts';
import { exposition, nameProcess } from './registry.ts';
import { Sampled } from './sampled.ts';

const help = 'A test metric.';
const lines = async (start: string): Promise<string[]> =>
  (await exposition()).text.split('\n').filter((line) => line.startsWith(start));

describe('a metric', () => {
  it('says which service it speaks of, by its own label before the name of the process', async () => {
    nameProcess('standalone');
    counter({ name: 'gatehouse_spec_own_total', help, service: 'audit', labels: ['kind'] }).inc({
      kind: 'a',
    });
    counter({ name: 'gatehouse_spec_given_total', help, labels: ['service'] }).inc({
      service: 'policy',
    });
    counter({ name: 'gatehouse_spec_process_total', help, labels: ['kind'] }).inc({ kind: 'b' }, 2);
    expect(await lines('gatehouse_spec_own')).toEqual([
      'gatehouse_spec_own_total{kind="a",service="audit"} 1',
    ]);
    expect(await lines('gatehouse_spec_given')).toEqual([
      'gatehouse_spec_given_total{service="policy"} 1',
    ]);
    expect(await lines('gatehouse_spec_process')).toEqual([
      'gatehouse_spec_process_total{kind="b",service="standalone"} 2',
    ]);
  });

  it('that counts is there from the start, so that its first step is seen', async () => {
    counter({ name: 'gatehouse_spec_silent_total', help });
    expect(await lines('gatehouse_spec_silent')).toEqual([
      'gatehouse_spec_silent_total{service="standalone"} 0',
    ]);
  });

  it('of durations tells half a millisecond from one', async () => {
    const duration = histogram({ name: 'gatehouse_spec_duration_seconds', help });
    duration.observe({}, 0.0007);
    const buckets = await lines('gatehouse_spec_duration_seconds_bucket');
    expect(buckets.find((line) => line.includes('le="0.0005"'))).toMatch(/ 0$/);
    expect(buckets.find((line) => line.includes('le="0.001"'))).toMatch(/ 1$/);
  });

  it('is declared once, with its labels', () => {
    const options = { name: 'gatehouse_spec_once', help, labels: ['a'] } as const;
    gauge(options);
    expect(() => gauge(options)).toThrow('already been registered');
    expect(metricFamilies()).toContainEqual({
      ...options,
      type: 'gauge',
      labels: ['service', 'a'],
    });
  });
});

describe('a gauge that is read', () => {
  it('shows what its sources say at that moment, and no more what they name no more', async () => {
    const depth = gauge({ name: 'gatehouse_spec_depth', help, service: 'x', labels: ['topic'] });
    const now = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    const stop = depth.read(() => [...now].map(([topic, value]) => [{ topic }, value] as const));
    expect(await lines('gatehouse_spec_depth{')).toEqual([
      'gatehouse_spec_depth{topic="a",service="x"} 1',
      'gatehouse_spec_depth{topic="b",service="x"} 2',
    ]);
    now.delete('a');
    now.set('b', 0);
    expect(await lines('gatehouse_spec_depth{')).toEqual([
      'gatehouse_spec_depth{topic="b",service="x"} 0',
    ]);
    stop();
    expect(await lines('gatehouse_spec_depth{')).toEqual([]);
  });

  it('leaves a hole where a source fails, and shows the others', async () => {
    const level = gauge({ name: 'gatehouse_spec_level', help, labels: ['place'] });
    level.read(() => {
      throw new Error('not now');
    });
    level.read(async () => undefined);
    level.read(async () => [[{ place: 'well' }, 7]]);
    expect(await lines('gatehouse_spec_level{')).toEqual([
      'gatehouse_spec_level{place="well",service="standalone"} 7',
    ]);
  });
});

describe('a value that is sampled', () => {
  afterEach(() => vi.useRealTimers());

  it('is asked for once a second however many want it', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let asked = 0;
    const sampled = new Sampled(async () => {
      asked += 1;
      return asked;
    });
    expect(await Promise.all([sampled.get(), sampled.get()])).toEqual([1, 1]);
    vi.advanceTimersByTime(999);
    expect(await sampled.get()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await sampled.get()).toBe(2);
  });

  it('is not there while nobody has ever answered, and is not waited for', async () => {
    const silent = new Sampled(() => sleep(60_000, 1, { ref: false }));
    expect(await silent.get()).toBeUndefined();
    const failing = new Sampled(() => Promise.reject(new Error('away')));
    expect(await failing.get()).toBeUndefined();
  });

  it('is not there any more once it could not be told, or was on its way for too long', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let answer = Promise.resolve(7);
    const sampled = new Sampled(() => answer);
    expect(await sampled.get()).toBe(7);
    answer = Promise.reject(new Error('away'));
    vi.advanceTimersByTime(1_000);
    expect(await sampled.get()).toBeUndefined();
    answer = Promise.resolve(8);
    expect(await sampled.get()).toBe(8);
    answer = sleep(60_000, 9, { ref: false });
    vi.advanceTimersByTime(14_999);
    expect(await sampled.get()).toBe(8);
    vi.advanceTimersByTime(1);
    expect(await sampled.get()).toBeUndefined();
  });
});

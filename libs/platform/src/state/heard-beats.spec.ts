import { topics } from '@gatehouse/event-catalog';
import { beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { beatsAt } from '../testing/beats.ts';
import { HeardBeats } from './heard-beats.ts';

const START = Date.parse('2026-01-01T12:00:00.000Z');
const SECOND = 1_000;
const limits = { stateMaxAgeMs: 15 * SECOND, stateResyncAfterMs: 600 * SECOND };
const stateTopics = [
  { topic: topics.principalsState, owner: 'identity' },
  { topic: topics.policyState, owner: 'policy' },
  { topic: topics.catalogueState, owner: 'registry' },
];
const all = stateTopics.map(({ topic }) => topic);
const log = createLogger({ service: 'test', level: 'silent' });
let heard: HeardBeats;
beforeEach(() => {
  heard = new HeardBeats(stateTopics, limits, START, log);
});

function hear(at: number, now = at, of: Parameters<typeof beatsAt>[1] = all): void {
  for (const beat of beatsAt(new Date(at), of)) heard.take(beat, now);
}

describe('what was heard of the owners', () => {
  it('is fresh for as long as the oldest of the newest beats is young', () => {
    expect([heard.fresh(START), heard.silent(START)]).toEqual([
      false,
      ['identity', 'policy', 'registry'],
    ]);
    hear(START);
    expect([heard.fresh(START), heard.silent(START)]).toEqual([true, []]);
    expect(heard.fresh(START + 15 * SECOND)).toBe(true);
    expect(heard.fresh(START + 15 * SECOND + 1)).toBe(false);
  });

  it('is not fresh where one partition of one topic is silent', () => {
    hear(START);
    const later = START + 16 * SECOND;
    for (const beat of beatsAt(new Date(later), all)) {
      if (beat.topic !== topics.catalogueState.name || beat.partition !== 3)
        heard.take(beat, later);
    }
    expect([heard.fresh(later), heard.silent(later)]).toEqual([false, ['registry']]);
    hear(later, later, [topics.catalogueState]);
    expect(heard.fresh(later)).toBe(true);
  });

  it('grows no older by a beat of before that comes again', () => {
    hear(START + 10 * SECOND);
    hear(START);
    expect(heard.ageMs(START + 10 * SECOND)).toBe(0);
  });

  it('does not count a beat that is more than five seconds ahead, and counts the next that is not', () => {
    hear(START);
    hear(START + 3_600 * SECOND, START + SECOND);
    expect(heard.fresh(START + 15 * SECOND)).toBe(true);
    expect(heard.fresh(START + 16 * SECOND)).toBe(false);
    hear(START + 16 * SECOND, START + 11 * SECOND);
    expect(heard.fresh(START + 16 * SECOND)).toBe(true);
  });

  it('is not fresh when the clock of the gate is set back, for then nothing can be compared', () => {
    hear(START + 60 * SECOND);
    expect(heard.fresh(START + 56 * SECOND)).toBe(true);
    expect([heard.fresh(START + 54 * SECOND), heard.silent(START + 54 * SECOND)]).toEqual([
      false,
      ['identity', 'policy', 'registry'],
    ]);
  });

  it('does not count what is no beat', () => {
    for (const value of [null, Buffer.from('{'), Buffer.from('{"at":"soon","position":1}')]) {
      for (const beat of beatsAt(new Date(START), all)) heard.take({ ...beat, value }, START);
    }
    expect(heard.fresh(START)).toBe(false);
  });
});

describe('a silence in which removals may have been missed', () => {
  const LONG = 601 * SECOND;

  it('is one between two beats of a partition that is longer than the bound', () => {
    hear(START);
    hear(START + 600 * SECOND);
    expect(heard.missed).toBe(false);
    hear(START + 600 * SECOND + LONG, undefined, [topics.policyState]);
    expect(heard.missed).toBe(true);
  });

  it('begins with the reading where no beat was heard, not with the beats of before', () => {
    hear(START - 2 * LONG);
    hear(START + SECOND);
    expect(heard.missed).toBe(false);
    heard = new HeardBeats(stateTopics, limits, START, log);
    hear(START + LONG);
    expect(heard.missed).toBe(true);
  });

  it('is none where every beat was heard, however late', () => {
    for (let at = START; at < START + 3 * LONG; at += 60 * SECOND) hear(at, START + 10 * LONG);
    expect(heard.missed).toBe(false);
  });
});

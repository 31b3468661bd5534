import type { Reading } from '../metrics/metric.ts';

/** What waits for a group, by topic, from what waits on each partition; nothing of a partition that is not known yet. */
export function lagReadings(
  group: string,
  partitions: Iterable<readonly [topic: string, lag: number | undefined]>,
): Reading<'topic' | 'group'>[] {
  const byTopic = new Map<string, number>();
  for (const [topic, lag] of partitions) {
    if (lag !== undefined) byTopic.set(topic, (byTopic.get(topic) ?? 0) + lag);
  }
  return [...byTopic].map(([topic, lag]) => [{ topic, group }, lag]);
}

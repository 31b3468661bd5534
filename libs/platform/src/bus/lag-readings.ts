import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { Reading } from '../metrics/metric.ts';

type Lags = Iterable<readonly [topic: string, lag: number | undefined]>;

/** What waits for a group, by topic, from what waits on each partition; nothing of a partition that is not known yet. */
export function lagReadings(group: string, partitions: Lags): Reading<'topic' | 'group'>[] {
  const byTopic = new Map<string, number>();
  for (const [topic, lag] of partitions) {
    if (lag !== undefined) byTopic.set(topic, (byTopic.get(topic) ?? 0) + lag);
  }
  return [...byTopic].map(([topic, lag]) => [{ topic, group }, lag]);
}

/** What waits in all; undefined while a partition of the topics is with nobody, with somebody else, or not known yet. */
export function lagOfAll(topics: readonly TopicDefinition[], partitions: Lags): number | undefined {
  const lags = [...partitions].map(([, lag]) => lag);
  const known = lags.filter((lag) => lag !== undefined);
  const expected = topics.reduce((sum, topic) => sum + topic.partitions, 0);
  return known.length < expected ? undefined : known.reduce((sum, lag) => sum + lag, 0);
}

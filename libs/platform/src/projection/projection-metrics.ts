import { counter, gauge, type Reading } from '../metrics/metric.ts';

const labels = ['service', 'projection'] as const;
type Label = (typeof labels)[number] | 'topic';

export const appliedEvents = counter({
  name: 'gatehouse_projection_applied_events_total',
  help: 'Events that this process folded into the read tables of a projection.',
  labels,
});
const position = gauge({
  name: 'gatehouse_projection_position',
  help: "How far into the log of a topic's owner the read tables are; its lag is that of the group `gatehouse.<service>.<projection>` on the bus.",
  labels: [...labels, 'topic'],
});
const advanced = gauge({
  name: 'gatehouse_projection_last_advance_timestamp_seconds',
  help: 'When the read tables last moved on, or the process began to follow; `time()` less this is how long ago that is.',
  labels,
});

/** Shows how far a projection is. `applied` is the highest position by `<topic>/<partition>`. */
export function showProjection(
  of: { readonly service: string; readonly projection: string },
  applied: ReadonlyMap<string, number>,
  advancedAt: () => number,
): () => void {
  const stops = [
    position.read(() => furthestByTopic(of, applied)),
    advanced.read(() => [[of, advancedAt() / 1000]]),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function furthestByTopic(
  of: { readonly service: string; readonly projection: string },
  applied: ReadonlyMap<string, number>,
): Reading<Label>[] {
  const furthest = new Map<string, number>();
  for (const [place, reached] of applied) {
    const topic = place.slice(0, place.lastIndexOf('/'));
    furthest.set(topic, Math.max(furthest.get(topic) ?? 0, reached));
  }
  return [...furthest].map(([topic, reached]) => [{ ...of, topic }, reached]);
}

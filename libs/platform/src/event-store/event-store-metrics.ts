import type { ServiceDatabase } from '../database/service-database.ts';
import { counter, gauge } from '../metrics/metric.ts';
import { Sampled } from '../metrics/sampled.ts';

const labels = ['service'] as const;

export const appendedEvents = counter({
  name: 'gatehouse_events_appended_total',
  help: 'Events that this process appended to the log of a service.',
  labels,
});
export const versionConflicts = counter({
  name: 'gatehouse_event_version_conflicts_total',
  help: 'Appends that came second, since somebody else appended to the stream first; each is decided anew.',
  labels,
});
export const relayedEvents = counter({
  name: 'gatehouse_outbox_relayed_events_total',
  help: 'Events that this process carried from the log of a service to the bus.',
  labels,
});
const relayActive = gauge({
  name: 'gatehouse_outbox_relay_active',
  help: '1 in the process that relays the log of a service, 0 where it stands by.',
  labels,
});
const lag = gauge({
  name: 'gatehouse_outbox_lag_events',
  help: 'Events in the log of a service that are not on the bus yet, whoever relays them.',
  labels,
});
const oldestAge = gauge({
  name: 'gatehouse_outbox_oldest_unrelayed_age_seconds',
  help: 'How long the oldest event that is not on the bus yet has been waiting; 0 where none is.',
  labels,
});

interface Backlog {
  readonly behind: number;
  readonly oldest: Date | null;
}

/** Shows how far a relay is behind its log. Each process asks the tables, so it is known too when nobody relays. */
export function showOutbox(database: ServiceDatabase, isActive: () => boolean): () => void {
  const { service } = database;
  const backlog = new Sampled(() => readBacklog(database));
  const stops = [
    relayActive.read(() => [[{ service }, isActive() ? 1 : 0]]),
    lag.read(async () => {
      const known = await backlog.get();
      return known && [[{ service }, known.behind]];
    }),
    oldestAge.read(async () => {
      const known = await backlog.get();
      return known && [[{ service }, secondsSince(known.oldest)]];
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function secondsSince(then: Date | null): number {
  return then === null ? 0 : Math.max(0, (Date.now() - then.getTime()) / 1000);
}

async function readBacklog({ pool }: ServiceDatabase): Promise<Backlog> {
  const { rows } = await pool.query<Backlog>(
    `select greatest(h.position - coalesce(c.position, 0), 0) as behind,
       (select occurred_at from event where position > coalesce(c.position, 0) order by position limit 1) as oldest
     from event_head h left join checkpoint c on c.consumer = 'outbox'`,
  );
  return rows[0] ?? { behind: 0, oldest: null };
}

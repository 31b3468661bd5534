import { topics, type PolicyState } from '@gatehouse/event-catalog';
import type { ServiceDatabase, StateFeed } from '@gatehouse/platform';
import { parsePolicyMessage } from '@gatehouse/policy-engine';

const KEY = 'bundle';

/** What gateways decide by: keeps the policy state topic, whose one entity is the newest bundle. */
export function policyFeed(database: ServiceDatabase): StateFeed {
  return {
    topic: topics.policyState,
    touchedBy: (events) =>
      events.some(({ type }) => type === 'policy.bundle-published.v1') ? [KEY] : [],
    load: async () => {
      const { rows } = await database.pool.query<PolicyState>(
        'select number, roles from current_bundle',
      );
      const [bundle] = rows;
      // Never a tombstone: a policy that was published is replaced, not taken away.
      if (bundle === undefined) throw new Error('a bundle was published but is not in its table');
      return new Map([[KEY, bundle]]);
    },
    check: (_key, value) => parsePolicyMessage(value),
  };
}

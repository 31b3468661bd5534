import { Pool } from 'pg';
import type { TopicDefinition } from '@gatehouse/event-catalog';
import { createLogger } from '../../log/logger.ts';
import { PostgresEventBus } from './postgres-event-bus.ts';

// The victim of contract point 3: a member in a process of its own, to be killed between handling and committing.
const [url, group, topic] = process.argv.slice(2) as [string, string, string];
const pool = new Pool({ connectionString: url, max: 2 });
const bus = new PostgresEventBus({
  pool,
  log: createLogger({ service: 'victim', level: 'error' }),
});

await bus.subscribe({
  group,
  topics: [JSON.parse(topic) as TopicDefinition],
  handle: async ({ messages }) => {
    for (const { value } of messages) {
      process.stdout.write(`${String(value)}\n`);
      if (String(value) === 'hang') await new Promise(() => undefined);
    }
  },
});
process.stdout.write('subscribed\n');

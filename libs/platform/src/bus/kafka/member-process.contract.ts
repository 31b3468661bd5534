import type { TopicDefinition } from '@gatehouse/event-catalog';
import { createLogger } from '../../log/logger.ts';
import { KafkaEventBus } from './kafka-event-bus.ts';
import type { KafkaTiming } from './kafka-timing.ts';

// The victim of contract point 3: a member in a process of its own, to be killed between handling and committing.
const [broker, group, topic, timing] = process.argv.slice(2) as [string, string, string, string];
const bus = new KafkaEventBus({
  connection: { brokers: [broker] },
  log: createLogger({ service: 'victim', level: 'error' }),
  timing: JSON.parse(timing) as Partial<KafkaTiming>,
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

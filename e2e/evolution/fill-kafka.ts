import { topics } from '@gatehouse/event-catalog';
import { createLogger, KafkaEventBus } from '@gatehouse/platform';
import type { Release } from './releases.ts';
import { busMessages } from './stored-messages.ts';

/** Puts every message of a release on the topics that it lay on, byte by byte; the topics must be there. */
export async function fillKafka(bootstrap: string, release: Pick<Release, 'rows'>): Promise<void> {
  const bus = new KafkaEventBus({
    connection: { brokers: [bootstrap] },
    log: createLogger({ service: 'yesterday', level: 'silent' }),
  });
  try {
    const messages = busMessages(release);
    for (const topic of Object.values(topics)) {
      const outgoing = messages
        .filter((message) => message.topic === topic.name)
        .map(({ key, headers, value }) => ({
          key,
          headers,
          value: value === null ? null : Buffer.from(value),
        }));
      if (outgoing.length === 0) throw new Error(`the release left nothing on ${topic.name}`);
      await bus.publish(topic, outgoing);
    }
  } finally {
    await bus.close();
  }
}

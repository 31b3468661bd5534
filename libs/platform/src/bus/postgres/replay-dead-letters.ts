import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus } from '@gatehouse/event-sourcing';
import type { Pool } from 'pg';
import { REPLAY_GROUP, replayHeaders } from '../replay-headers.ts';
import { MessageLog } from './message-log.ts';

/**
 * Publishes again, to the topic they came from, the dead letters that were not replayed before; answers how many. Their
 * header `replay_of` says which message each one was. A crash in the middle may replay some twice.
 */
export async function replayDeadLetters(
  bus: Pick<EventBus, 'publish'>,
  pool: Pool,
  topic: TopicDefinition,
): Promise<number> {
  const parked = deadLetterTopicOf(topic.name);
  const log = new MessageLog(pool);
  let replayed = 0;
  for (let partition = 0; partition < parked.partitions; partition += 1) {
    let next = await committed(pool, parked.name, partition);
    for (;;) {
      const letters = await log.read(parked.name, [{ partition, next }]);
      const last = letters.at(-1);
      if (last === undefined) break;
      await bus.publish(
        topic,
        letters.map((letter) => ({ ...letter, headers: replayHeaders(letter.headers) })),
      );
      next = last.offset + 1;
      await commit(pool, parked.name, partition, next);
      replayed += letters.length;
    }
  }
  return replayed;
}

async function committed(pool: Pool, topic: string, partition: number): Promise<number> {
  const { rows } = await pool.query<{ next: string }>(
    'select next_offset as next from bus.group_offset where group_name = $1 and topic = $2 and partition = $3',
    [REPLAY_GROUP, topic, partition],
  );
  return Number(rows[0]?.next ?? 0);
}

async function commit(pool: Pool, topic: string, partition: number, next: number): Promise<void> {
  await pool.query(
    `insert into bus.group_offset (group_name, topic, partition, next_offset) values ($1, $2, $3, $4)
     on conflict (group_name, topic, partition) do update set next_offset = excluded.next_offset`,
    [REPLAY_GROUP, topic, partition, next],
  );
}

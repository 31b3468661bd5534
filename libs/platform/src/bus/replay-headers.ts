/** Readers of dead letters, on every adapter, share this group: it knows what was replayed before. */
export const REPLAY_GROUP = 'gatehouse.dead-letter-replay';

/** The headers of a dead letter that goes back to where it came from. */
export function replayHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !name.startsWith('dlq_'));
  const { dlq_topic, dlq_partition, dlq_offset } = headers;
  return { ...Object.fromEntries(kept), replay_of: `${dlq_topic}/${dlq_partition}@${dlq_offset}` };
}

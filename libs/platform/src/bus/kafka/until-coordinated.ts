import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';

const AGAIN_MS = 200;
const UNSETTLED = [
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
];

/**
 * Asks about a group until the cluster has settled which broker keeps its offsets, and that one has read them: when
 * groups are first used, and when a broker has left, that takes moments for which kafkajs does not wait. Rejects with
 * the last answer once the patience is over, and with any other error at once.
 */
export async function untilCoordinated<T>(ask: () => Promise<T>, patienceMs: number): Promise<T> {
  const patientUntil = performance.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnsettled(error) || performance.now() > patientUntil) throw error;
      await sleep(AGAIN_MS);
    }
  }
}

// kafkajs tells any failed search for a coordinator by the same error.
function isUnsettled(error: unknown): boolean {
  if (error instanceof kafkajs.KafkaJSProtocolError) return UNSETTLED.includes(error.type);
  return error instanceof kafkajs.KafkaJSGroupCoordinatorNotFound;
}

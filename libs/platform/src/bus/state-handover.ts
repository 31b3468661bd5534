import type { IncomingMessage } from '@gatehouse/event-sourcing';
import type { Logger } from '../log/logger.ts';
import { partitionsStopped, STATE_READER } from './bus-metrics.ts';
import type { BusTiming } from './bus-timing.ts';
import { backoffMs, sleepUnless } from './patience.ts';

export interface HandoverDeps {
  readonly handle: (message: IncomingMessage) => void | Promise<void>;
  readonly timing: BusTiming;
  readonly log: Logger;
  /** Told where it stands still, and `undefined` when it goes on or gives up. */
  readonly onStall: (where: string | undefined) => void;
  readonly onAlarm: (alarm: string) => void;
}

const ALARM_AFTER_ATTEMPTS = 3;

/** Hands a message to a reader of state until it is taken: state is never skipped over. False when told to give up. */
export async function handOver(
  message: IncomingMessage,
  signal: AbortSignal,
  { handle, timing, log, onStall, onAlarm }: HandoverDeps,
): Promise<boolean> {
  const where = `${message.topic}/${message.partition}@${message.offset}`;
  const labels = { topic: message.topic, group: STATE_READER };
  let attempt = 1;
  try {
    for (; !signal.aborted; attempt += 1) {
      try {
        await handle(message);
        return true;
      } catch (error) {
        log.warn({ err: error, where, attempt }, 'state was not taken; it is tried again');
        if (attempt === ALARM_AFTER_ATTEMPTS) {
          partitionsStopped.add(labels, 1);
          onStall(where);
          onAlarm(`a reader of state stands still on ${where}: ${String(error)}`);
        }
        await sleepUnless(signal, backoffMs(attempt, timing.retryFirstMs, timing.retryCapMs));
      }
    }
    return false;
  } finally {
    // Whoever gives up stands there no more either: the next to take the message says so anew, or does not.
    if (attempt > ALARM_AFTER_ATTEMPTS) {
      partitionsStopped.add(labels, -1);
      onStall(undefined);
    }
  }
}

import { histogram } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';

const waiting = histogram({
  name: 'gatehouse_admin_read_model_wait_seconds',
  help: 'How long a mutation waited until its change could be read here: `seen`, or `behind` where it was not in time.',
  service: 'admin',
  labels: ['outcome'],
});

/** Waits, and takes the time of it. */
export async function measuredWait(wait: () => Promise<void>): Promise<void> {
  const began = performance.now();
  const ended = (outcome: string): void =>
    waiting.observe({ outcome }, (performance.now() - began) / 1000);
  try {
    await wait();
    ended('seen');
  } catch (error) {
    if (error instanceof Refusal && error.code === 'read-model-behind') ended('behind');
    throw error;
  }
}

import { counter, histogram } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';

const service = 'registry';
const fetches = counter({
  name: 'gatehouse_registry_fetches_total',
  help: 'Times that a server was asked for its tools: `answered`, or the problem code that it ended with.',
  service,
  labels: ['outcome'],
});
const duration = histogram({
  name: 'gatehouse_registry_fetch_duration_seconds',
  help: 'How long it took until a server had told its tools, or had failed to.',
  service,
});

/** Asks a server, and counts how that ended. */
export async function measuredFetch<T>(ask: () => Promise<T>): Promise<T> {
  const began = performance.now();
  let outcome = 'answered';
  try {
    return await ask();
  } catch (error) {
    outcome = error instanceof Refusal ? error.code : 'internal';
    throw error;
  } finally {
    fetches.inc({ outcome });
    duration.observe({}, (performance.now() - began) / 1000);
  }
}

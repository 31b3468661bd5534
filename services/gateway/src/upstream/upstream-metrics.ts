import { counter, gauge, histogram } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';

const service = 'gateway';
const labels = ['server'] as const;
const calls = counter({
  name: 'gatehouse_gateway_upstream_calls_total',
  help: 'Calls that were forwarded, by approved server: answered, or the problem code that ended them.',
  service,
  labels: [...labels, 'outcome'],
});
const duration = histogram({
  name: 'gatehouse_gateway_upstream_duration_seconds',
  help: 'How long servers behind the gate took over a call, connecting included.',
  service,
  labels,
});
const inFlight = gauge({
  name: 'gatehouse_gateway_calls_in_flight',
  help: 'Calls that a server behind the gate has been given and has not answered yet.',
  service,
});

inFlight.set({}, 0);

/** Does what a server is waited for, and tells how many milliseconds that took, also where it failed. */
export async function measuredCall(
  server: string,
  took: (ms: number) => void,
  work: () => Promise<void>,
): Promise<void> {
  const began = performance.now();
  let outcome = 'answered';
  inFlight.add({}, 1);
  try {
    await work();
  } catch (error) {
    outcome = error instanceof Refusal ? error.code : 'internal';
    throw error;
  } finally {
    const ms = performance.now() - began;
    inFlight.add({}, -1);
    calls.inc({ server, outcome });
    duration.observe({ server }, ms / 1000);
    took(ms);
  }
}

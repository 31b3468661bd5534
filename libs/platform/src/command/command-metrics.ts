import { Refusal } from '@gatehouse/problem-catalog';
import { refusedIfUnavailable } from '../database/unavailable.ts';
import { counter, histogram } from '../metrics/metric.ts';

const labels = ['service', 'command'] as const;
const taken = counter({
  name: 'gatehouse_commands_total',
  help: 'Commands and queries that a service took, by outcome: accepted, refused (with its problem code), or failed.',
  labels: [...labels, 'outcome', 'code'],
});
const duration = histogram({
  name: 'gatehouse_command_duration_seconds',
  help: 'How long a service took over a command or query, whatever its outcome.',
  labels,
});

/** Does a command or query of a contract, and counts how it ended. */
export async function measured<T>(
  service: string,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const ended = (outcome: string, code: string): void => {
    taken.inc({ service, command, outcome, code });
    duration.observe({ service, command }, (performance.now() - began) / 1000);
  };
  try {
    const result = await work();
    ended('accepted', '');
    return result;
  } catch (thrown) {
    const error = refusedIfUnavailable(thrown);
    if (error === thrown && error instanceof Refusal) ended('refused', error.code);
    else ended('failed', error instanceof Refusal ? error.code : 'internal');
    throw error;
  }
}

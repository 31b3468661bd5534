import type { TestProject } from 'vitest/node';
import { startThrowAwayKafka } from './throw-away-kafka.ts';

/** Where a broker already runs that the tests may use. */
const TEST_KAFKA = 'GATEHOUSE_TEST_KAFKA';
const VERSION = 'GATEHOUSE_KAFKA_VERSION';

/** One broker for the whole lane, of the version that the lane is about: starting one takes seconds. */
export default async function setup({
  config,
}: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Vitest leaves it out where the project sets nothing, whatever its type says.
  config.env ??= {};
  const version = config.env[VERSION];
  if (version === undefined && process.env[TEST_KAFKA] !== undefined) return undefined;
  const kafka = await startThrowAwayKafka(version === undefined ? {} : { version });
  // To the workers of this project alone: another version may run beside it.
  config.env[TEST_KAFKA] = kafka.bootstrap;
  return () => kafka.stop();
}

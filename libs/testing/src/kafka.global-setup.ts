import { startThrowAwayKafka } from './throw-away-kafka.ts';

/** Where a broker already runs that the tests may use. */
const TEST_KAFKA = 'GATEHOUSE_TEST_KAFKA';

/** One broker for the whole lane: starting one takes seconds. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[TEST_KAFKA] !== undefined) return undefined;
  const kafka = await startThrowAwayKafka();
  process.env[TEST_KAFKA] = kafka.bootstrap;
  return async () => {
    delete process.env[TEST_KAFKA];
    await kafka.stop();
  };
}

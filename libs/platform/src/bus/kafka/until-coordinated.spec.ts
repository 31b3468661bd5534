import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { untilCoordinated } from './until-coordinated.ts';

/** As kafkajs makes of what a broker answers. */
const answer = (type: string): Error =>
  new kafkajs.KafkaJSProtocolError(
    Object.assign(new Error(type), { type, code: 0, retriable: true }),
  );
const notFound = Reflect.construct(kafkajs.KafkaJSGroupCoordinatorNotFound, [
  'Failed to find group coordinator',
]) as Error;

/** A cluster that gives these answers, one a question, and then what is asked for. */
function clusterThatSays(errors: readonly Error[]) {
  const left = [...errors];
  const cluster = {
    asked: 0,
    ask: async (): Promise<string> => {
      cluster.asked += 1;
      const error = left.shift();
      if (error !== undefined) throw error;
      return 'offsets';
    },
  };
  return cluster;
}

describe('a question about a group', () => {
  it.each([
    answer('GROUP_LOAD_IN_PROGRESS'),
    answer('GROUP_COORDINATOR_NOT_AVAILABLE'),
    answer('NOT_COORDINATOR_FOR_GROUP'),
    notFound,
  ])('is put again after: $message', async (error) => {
    const cluster = clusterThatSays([error, error]);
    expect(await untilCoordinated(cluster.ask, 60_000)).toBe('offsets');
    expect(cluster.asked).toBe(3);
  });

  it('is not put again when the answer was another one', async () => {
    const cluster = clusterThatSays([answer('GROUP_AUTHORIZATION_FAILED')]);
    await expect(untilCoordinated(cluster.ask, 60_000)).rejects.toThrow('GROUP_AUTHORIZATION');
    expect(cluster.asked).toBe(1);
  });

  it('ends with the last answer when nothing comes of waiting', async () => {
    const cluster = clusterThatSays(Array.from({ length: 1_000 }, () => notFound));
    await expect(untilCoordinated(cluster.ask, 300)).rejects.toThrow('Failed to find');
    expect(cluster.asked).toBeGreaterThan(1);
  });
});

import { startThrowAwayKafka, type ThrowAwayKafka } from '@gatehouse/testing';
import type { ClusterOptions } from './cluster.ts';
import { formOfThisLane } from './gatehouse.ts';

/** The bus that clusters of the lane at hand are on. */
export interface LaneBus {
  /** None where the bus is a log in the cluster's PostgreSQL. */
  readonly kafka: ThrowAwayKafka | undefined;
  readonly options: ClusterOptions;
  stop(): Promise<void>;
}

/** Starts the bus that a cluster of this lane is to be prepared with. */
export async function startLaneBus(): Promise<LaneBus> {
  const form = formOfThisLane();
  const kafka =
    form.kind === 'cluster' && form.bus === 'kafka' ? await startThrowAwayKafka() : undefined;
  return {
    kafka,
    options: kafka === undefined ? {} : { busUrl: `kafka://${kafka.bootstrap}` },
    stop: async () => kafka?.stop(),
  };
}

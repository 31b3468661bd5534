import { setTimeout as sleep } from 'node:timers/promises';
import { installation } from '../journeys/harness/gatehouse-process.ts';
import { figure, median, type Figure } from './report.ts';
import { residentMegabytes } from './process-usage.ts';

const ROUNDS = 5;
const SETTLE_MS = 5_000;

/** From the command to the welcome, on an empty data directory and on a known one; and what it weighs when nobody calls. */
export async function startBench(): Promise<readonly Figure[]> {
  const first: number[] = [];
  const later: number[] = [];
  const stop: number[] = [];
  const memory: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const place = await installation();
    try {
      first.push(await seconds(() => place.start()));
      stop.push(await seconds(async () => void (await place.stop())));
      later.push(await seconds(() => place.start()));
      await sleep(SETTLE_MS);
      memory.push(await residentMegabytes(place.pid));
      await place.stop();
    } finally {
      await place.dispose();
    }
  }
  return [
    figure('first start, until ready', 's', median(first), { goal: 6 }),
    figure('later start, until ready', 's', median(later), { goal: 2.5 }),
    figure('stop', 's', median(stop)),
    figure('idle RSS of the Node process', 'MB', median(memory), { goal: 200 }),
  ];
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

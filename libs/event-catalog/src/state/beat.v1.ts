import { z } from 'zod';

/**
 * The beat of a state topic's owner, one message in each partition; key = `~beat-<n>`. At `at`, by the owner's clock,
 * its log held nothing above `position`: so whatever was committed before `at` lies before the beat in its partition.
 * An owner that is behind, or cannot publish, sends none.
 */
export const beatSchema = z.strictObject({
  at: z.iso.datetime(),
  position: z.number().int().nonnegative(),
});

/** A sign of life on a state topic. */
export type Beat = z.infer<typeof beatSchema>;

const PREFIX = '~beat-';

/** Whether a message of a state topic is a beat, and so speaks of no entity. */
export function isBeat({ key }: { readonly key: string | null }): boolean {
  return key?.startsWith(PREFIX) === true;
}

/** A key of a beat that lies in the partition; no entity has such a key. */
export function beatKeyFor(partition: number, partitionOf: (key: string) => number): string {
  for (let n = 0; ; n += 1) {
    const key = `${PREFIX}${n}`;
    if (partitionOf(key) === partition) return key;
  }
}

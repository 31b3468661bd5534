import { configSection } from '@gatehouse/platform';
import { z } from 'zod';

/** Identity's settings. */
export const identityConfig = configSection(
  'identity',
  'People, groups, agents, their keys and roles.',
  z.strictObject({
    bootstrapAdmin: z
      .boolean()
      .default(true)
      .describe(
        'On the first start, while there are no users, create the user `admin` and write a key for it to `admin-token` in the data directory, readable by its owner alone.',
      ),
    newRolePatienceMs: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(2_000)
      .describe(
        'How long assigning a role waits for a role that is not known yet, since policy may have made it a moment ago.',
      ),
  }),
);

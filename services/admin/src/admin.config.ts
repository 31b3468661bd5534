import { configSection, type ConfigOf } from '@gatehouse/platform';
import { z } from 'zod';

const limit = (least: number, most: number, usual: number, meaning: string) =>
  z.number().int().min(least).max(most).default(usual).describe(meaning);

/** The settings of the admin API. */
export const adminConfig = configSection(
  'admin',
  'The admin API at /graphql: what one request may ask for.',
  z.strictObject({
    maxDepth: limit(2, 100, 10, 'How many levels deep an operation may reach.'),
    maxCost: limit(
      100,
      10_000_000,
      50_000,
      'What an operation may cost: roughly the values that it can answer; a mutation counts 100.',
    ),
    maxRootFields: limit(
      1,
      1000,
      20,
      'How many fields an operation may ask of its root, aliases counted.',
    ),
    maxPageSize: limit(1, 500, 200, 'How many rows a page of a list may have.'),
    maxBodyBytes: limit(1024, 1_048_576, 131_072, 'How large the body of a request may be.'),
    maxTokens: limit(100, 100_000, 4000, 'Of how many words and signs a document may consist.'),
    readModelTimeoutMs: limit(
      100,
      60_000,
      5000,
      'How long a mutation waits until its change can be read here, in milliseconds.',
    ),
    stateMaxAgeMs: limit(
      2_000,
      600_000,
      15_000,
      'Everybody is refused while admin has not heard for this long, in milliseconds, that it has all there is to know of who may administer; owners say so about once a second. Clocks that disagree come on top.',
    ),
    stateResyncAfterMs: limit(
      10_000,
      86_400_000,
      600_000,
      'After a silence of this length, in milliseconds, admin reads anew who may administer before it lets anybody in.',
    ),
  }),
);

/** The loaded settings of admin. */
export type AdminConfig = ConfigOf<typeof adminConfig>;

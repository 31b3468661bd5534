import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** The server could not be asked for its tools. */
export const catalogueFetchFailedV1 = defineEvent(
  'registry.catalogue-fetch-failed.v1',
  'The server could not be asked for its tools.',
  z.strictObject({ slug: z.string(), reason: z.string() }),
);

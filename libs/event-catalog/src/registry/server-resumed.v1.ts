import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A suspended server is back in service as it was approved. */
export const serverResumedV1 = defineEvent(
  'registry.server-resumed.v1',
  'A suspended server is back in service as it was approved.',
  z.strictObject({ slug: z.string() }),
);

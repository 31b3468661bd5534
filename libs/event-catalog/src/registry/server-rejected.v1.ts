import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A person refused the server. */
export const serverRejectedV1 = defineEvent(
  'registry.server-rejected.v1',
  'A person refused the server.',
  z.strictObject({ slug: z.string(), reason: z.string() }),
);

import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** The server is taken out of service: hidden and not callable, on live sessions too. */
export const serverSuspendedV1 = defineEvent(
  'registry.server-suspended.v1',
  'The server is taken out of service: hidden and not callable, on live sessions too.',
  z.strictObject({ slug: z.string(), reason: z.string() }),
);

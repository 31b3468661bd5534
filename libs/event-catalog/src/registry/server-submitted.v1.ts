import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { transportSchema } from './server-shapes.ts';

/** Somebody asks for a server to be let through the gate. */
export const serverSubmittedV1 = defineEvent(
  'registry.server-submitted.v1',
  'Somebody asks for a server to be let through the gate.',
  z.strictObject({
    slug: z.string(),
    name: z.string(),
    description: z.string(),
    transport: transportSchema,
  }),
);

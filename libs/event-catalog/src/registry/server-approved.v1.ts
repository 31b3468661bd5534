import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { approvedToolSchema, transportSchema } from './server-shapes.ts';

/** A person approved the server with exactly these tools, pinned by digest; the gate serves these copies and no other. */
export const serverApprovedV1 = defineEvent(
  'registry.server-approved.v1',
  'A person approved the server with exactly these tools, pinned by digest; the gate serves these copies and no other.',
  z.strictObject({
    slug: z.string(),
    name: z.string(),
    transport: transportSchema,
    tools: z.array(approvedToolSchema),
  }),
);

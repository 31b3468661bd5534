import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { fetchedToolSchema, serverInfoSchema } from './server-shapes.ts';

/** The server was asked for its tools; what it answered is kept raw, digested, with a proposed class for each. */
export const catalogueFetchedV1 = defineEvent(
  'registry.catalogue-fetched.v1',
  'The server was asked for its tools; what it answered is kept raw, digested, with a proposed class for each.',
  z.strictObject({
    slug: z.string(),
    serverInfo: serverInfoSchema,
    tools: z.array(fetchedToolSchema),
  }),
);

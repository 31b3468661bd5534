import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { toolClassSchema } from './server-shapes.ts';

/** A person decided whether a tool reads or writes. */
export const toolClassifiedV1 = defineEvent(
  'registry.tool-classified.v1',
  'A person decided whether a tool reads or writes.',
  z.strictObject({ slug: z.string(), tool: z.string(), class: toolClassSchema }),
);

import { z } from 'zod';
import { approvedToolSchema, transportSchema } from '../registry/server-shapes.ts';

/** One server of the catalogue state topic; key = its slug. Only servers that were approved appear; one that is not `inService` is served to nobody. */
export const catalogueStateSchema = z.strictObject({
  slug: z.string(),
  name: z.string(),
  inService: z.boolean(),
  transport: transportSchema,
  tools: z.array(approvedToolSchema),
});

/** A server and its approved tools as the gates know them. */
export type CatalogueState = z.infer<typeof catalogueStateSchema>;

import { z } from 'zod';
import { approvedToolSchema, transportSchema } from '../registry/server-shapes.ts';
import { parseJson } from './parse-json.ts';

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

/** Reads a message of the catalogue state topic; null is a tombstone. Throws when it can never be applied. */
export function parseCatalogueMessage(
  slug: string,
  buffer: Uint8Array | null,
): CatalogueState | null {
  if (buffer === null) return null;
  const state = catalogueStateSchema.parse(parseJson(buffer));
  if (state.slug !== slug) throw new Error(`the message of ${slug} speaks of ${state.slug}`);
  return state;
}

import type { ReadModel } from '../read-model.ts';
import type { Gate } from '../schema/schema.generated.ts';

/** The gate as a whole. */
export async function readGate(model: ReadModel): Promise<Gate> {
  const { rows } = await model.database.pool.query<Gate>(
    'select number as "bundleNumber", published_at as "bundlePublishedAt" from bundle',
  );
  return rows[0] ?? { bundleNumber: null, bundlePublishedAt: null };
}

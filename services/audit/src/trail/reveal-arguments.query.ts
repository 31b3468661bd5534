import type { AuditRecord, auditQueries, RequestOf, ResultOf } from '@gatehouse/event-catalog';
import { readSealingKey, unseal, type SealingKey, type ServiceDatabase } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { searchable } from './searchable.ts';

/** Opens the sealed arguments of one record; null where the request had none. Keys are read anew each time: none stays in memory. */
export async function revealArguments(
  database: ServiceDatabase,
  keyFiles: readonly string[],
  { id }: RequestOf<typeof auditQueries, 'reveal'>,
): Promise<ResultOf<typeof auditQueries, 'reveal'>> {
  const { rows } = await database.pool.query<{ body: string }>(
    'select body from record where id = $1 limit 1',
    [searchable(id)],
  );
  if (rows[0] === undefined) throw new Refusal('audit-record-unknown');
  const { argumentsSealed } = JSON.parse(rows[0].body) as AuditRecord;
  if (argumentsSealed === null) return { arguments: null };
  const key = await findKey(keyFiles, argumentsSealed.keyId);
  return { arguments: unseal(key, id, argumentsSealed) };
}

async function findKey(keyFiles: readonly string[], keyId: string): Promise<SealingKey> {
  for (const path of keyFiles) {
    const key = await readSealingKey(path).catch(ignoreMissing);
    if (key?.id === keyId) return key;
  }
  throw new Refusal('audit-key-missing', { internal: `no key file holds ${keyId}` });
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

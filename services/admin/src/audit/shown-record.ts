import type { AuditRow } from '@gatehouse/event-catalog';
import type { AuditRecord } from '../schema/schema.generated.ts';

/** A row of the trail as this API shows it: everything but the sealed arguments. */
export function shownRecord({ index, record }: AuditRow): AuditRecord {
  const { argumentsSealed, ...shown } = record;
  return { ...shown, index, hasArguments: argumentsSealed !== null };
}

import { auditRecordSchema, type AuditRecord } from '@gatehouse/event-catalog';
import { seal, type SealingKey } from '@gatehouse/platform';
import type { RecordDraft } from './evidence.ts';

const LONGEST_TEXT = 1_024;
const LONGEST_LIST = 256;

/** What a record gets beside its draft. */
export interface RecordStamp {
  readonly id: string;
  readonly source: string;
  readonly sequence: number;
  readonly at: string;
}

/** The whole record: arguments sealed, texts from outside cut to what every later reader can hold; throws where it is not a valid record. */
export function buildRecord(
  draft: RecordDraft,
  stamp: RecordStamp,
  key: SealingKey,
  maxArgumentsBytes: number,
): AuditRecord {
  const { arguments: given, ...rest } = draft;
  const sealed = given === undefined ? undefined : seal(key, stamp.id, given, maxArgumentsBytes);
  const { phase, ...facts } = tame(rest) as Omit<RecordDraft, 'arguments'>;
  return auditRecordSchema.parse({
    phase,
    ...stamp,
    ...facts,
    argumentsSealed: sealed?.sealed ?? null,
    argumentsBytes: sealed?.bytes ?? 0,
  });
}

/** Names come from strangers: neither length, nor NUL, nor half a surrogate pair may stop the record on its way through the bus and SQL. */
function tame(value: unknown): unknown {
  if (typeof value === 'string') return isTame(value) ? value : tameText(value);
  if (Array.isArray(value)) return value.slice(0, LONGEST_LIST).map(tame);
  if (value === null || typeof value !== 'object') return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) copy[name] = tame(member);
  return copy;
}

function isTame(text: string): boolean {
  return text.length <= LONGEST_TEXT && !/[\ud800-\udfff\0]/.test(text);
}

function tameText(text: string): string {
  const cut = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text;
  return cut.replaceAll(/\p{Surrogate}|\0/gu, '\uFFFD');
}

import { auditRecordSchema, type AuditRecord } from '@gatehouse/event-catalog';
import { PoisonMessage, type IncomingMessage } from '@gatehouse/event-sourcing';

/** A record as it came, with the exact text that is kept. */
export interface IncomingRecord {
  readonly record: AuditRecord;
  readonly body: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The record in a message; PoisonMessage where it is none, or speaks for another source than its key. */
export function readIncomingRecord(message: IncomingMessage): IncomingRecord {
  try {
    const body = utf8.decode(message.value ?? Buffer.alloc(0));
    const record = auditRecordSchema.parse(JSON.parse(body));
    if (record.source !== message.key)
      throw new Error(`the key names another source than the record`);
    return { record, body };
  } catch (error) {
    throw new PoisonMessage(message, `not an audit record: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

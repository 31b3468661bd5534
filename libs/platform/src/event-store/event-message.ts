import { actorSchema, upcast, type RecordedEvent } from '@gatehouse/event-catalog';
import {
  PoisonMessage,
  type IncomingMessage,
  type OutgoingMessage,
} from '@gatehouse/event-sourcing';
import { definitionOf, UnknownEventType } from './unknown-event-type.ts';

/** An event as a CloudEvents 1.0 message in binary mode: the envelope in headers, the bare data as value, the stream as key. It goes out in the version that it was written in. */
export function toMessage(event: RecordedEvent): OutgoingMessage {
  const { type, data } = event.storedAs ?? event;
  return {
    key: event.stream,
    value: Buffer.from(JSON.stringify(data)),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_source: `/gatehouse/${type.slice(0, type.indexOf('.'))}`,
      ce_type: type,
      ce_time: event.occurredAt,
      ce_subject: event.stream,
      ce_sequence: String(event.position),
      ce_streamversion: String(event.version),
      ce_correlationid: event.correlationId,
      ce_actor: JSON.stringify(event.actor),
      ...(event.causationId === undefined ? {} : { ce_causationid: event.causationId }),
      ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    },
  };
}

/**
 * The event of a message, brought to its newest version. PoisonMessage when it is not what its type says, or of a type
 * that this build does not know: a newer service speaks, and what it says is not passed over.
 */
export function fromMessage(message: IncomingMessage): RecordedEvent {
  const { headers } = message;
  const type = headers['ce_type'] ?? '';
  try {
    const carried = upcast({ type, data: JSON.parse(message.value?.toString('utf8') ?? 'null') });
    const definition = definitionOf(carried.type);
    return {
      id: required(headers, 'ce_id'),
      stream: required(headers, 'ce_subject'),
      version: Number(required(headers, 'ce_streamversion')),
      position: Number(required(headers, 'ce_sequence')),
      occurredAt: required(headers, 'ce_time'),
      correlationId: required(headers, 'ce_correlationid'),
      actor: actorSchema.parse(JSON.parse(required(headers, 'ce_actor'))),
      ...optional('causationId', headers['ce_causationid']),
      ...optional('traceparent', headers['traceparent']),
      type: definition.type,
      data: definition.data.parse(carried.data),
    } as RecordedEvent;
  } catch (error) {
    const why = error instanceof UnknownEventType ? error.message : `not a valid ${type}`;
    throw new PoisonMessage(message, why, { cause: error });
  }
}

/** The owner's log position that a message was published at, on domain topics (`ce_sequence`) and state topics (`position`) alike. */
export function positionOf(message: IncomingMessage): number {
  const position = Number(message.headers['ce_sequence'] ?? message.headers['position']);
  if (!Number.isSafeInteger(position))
    throw new PoisonMessage(message, 'no position in its headers');
  return position;
}

function required(headers: Readonly<Record<string, string>>, name: string): string {
  const value = headers[name];
  if (value === undefined) throw new Error(`header ${name} is missing`);
  return value;
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

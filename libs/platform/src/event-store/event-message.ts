import { actorSchema, findDefinition, upcast, type RecordedEvent } from '@gatehouse/event-catalog';
import {
  PoisonMessage,
  type IncomingMessage,
  type OutgoingMessage,
} from '@gatehouse/event-sourcing';

/** An event as a CloudEvents 1.0 message in binary mode: the envelope in headers, the bare data as value, the stream as key. */
export function toMessage(event: RecordedEvent): OutgoingMessage {
  return {
    key: event.stream,
    value: Buffer.from(JSON.stringify(event.data)),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_source: `/gatehouse/${event.type.slice(0, event.type.indexOf('.'))}`,
      ce_type: event.type,
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

/** The event of a message, brought to its newest version; undefined for a type this build does not know (a newer service speaks); PoisonMessage when it is not what its type says. */
export function fromMessage(message: IncomingMessage): RecordedEvent | undefined {
  const { headers } = message;
  const type = headers['ce_type'] ?? '';
  try {
    const carried = upcast({ type, data: JSON.parse(message.value?.toString('utf8') ?? 'null') });
    const definition = findDefinition(carried.type);
    if (definition === undefined) return undefined;
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
    throw new PoisonMessage(message, `not a valid ${type}`, { cause: error });
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

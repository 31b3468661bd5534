import type { RecordedEvent } from '@gatehouse/event-catalog';
import { PoisonMessage, type IncomingMessage } from '@gatehouse/event-sourcing';
import { describe, expect, it } from 'vitest';
import { fromMessage, positionOf, toMessage } from './event-message.ts';

const event: RecordedEvent<'identity.group-created.v1'> = {
  id: '0190a0a0-0000-7000-8000-000000000000',
  stream: 'group-1',
  version: 1,
  position: 42,
  occurredAt: '2026-01-01T00:00:00.000Z',
  actor: { kind: 'user', id: 'u', name: 'Zoë "the" Admin' },
  correlationId: 'c',
  causationId: 'b',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  type: 'identity.group-created.v1',
  data: { groupId: '1', displayName: 'Größe ✓' },
};

const arrived = (over: Partial<IncomingMessage> = {}): IncomingMessage => ({
  ...toMessage(event),
  topic: 't',
  partition: 0,
  offset: 0,
  ...over,
});

describe('an event on the bus', () => {
  it('is a CloudEvent in binary mode, keyed by its stream, and comes back whole', () => {
    expect(toMessage(event)).toMatchObject({
      key: 'group-1',
      headers: {
        ce_specversion: '1.0',
        ce_type: event.type,
        ce_source: '/gatehouse/identity',
        ce_id: event.id,
      },
    });
    expect(fromMessage(arrived())).toEqual(event);
    expect(positionOf(arrived())).toBe(42);
  });

  it.each(['identity.future-thing.v1', 'identity.group-created.v2'])(
    'of a type or a version that this build does not know is not passed over: %s',
    (type) => {
      const headers = { ...toMessage(event).headers, ce_type: type };
      expect(() => fromMessage(arrived({ headers }))).toThrow(
        `${type} is not known to this build: a newer one wrote it`,
      );
      expect(() => fromMessage(arrived({ headers }))).toThrow(PoisonMessage);
    },
  );

  it('goes out in the version that it was written in', () => {
    const storedAs = { type: 'identity.group-created.v0', data: { name: 'Größe ✓' } };
    const { headers, value } = toMessage({ ...event, storedAs });
    expect(headers['ce_type']).toBe(storedAs.type);
    expect(JSON.parse(String(value))).toEqual(storedAs.data);
  });

  it.each([
    ['data that breaks the schema', { value: Buffer.from('{"groupId":1}') }],
    [
      'data of which this build knows too little',
      { value: Buffer.from('{"groupId":"1","displayName":"x","colour":"red"}') },
    ],
    ['data that is no JSON', { value: Buffer.from('{') }],
    ['no data', { value: null }],
    ['a missing header', { headers: { ce_type: event.type } }],
  ])('with %s is poison', (_what, over) => {
    expect(() => fromMessage(arrived(over))).toThrow(PoisonMessage);
  });

  it('without a position is poison', () => {
    expect(() => positionOf(arrived({ headers: {} }))).toThrow(PoisonMessage);
  });
});

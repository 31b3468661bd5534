import { describe, expect, it } from 'vitest';
import { upcastWith, type Upcaster } from './upcast.ts';

interface V1 {
  readonly name: string;
}
interface V2 {
  readonly names: readonly string[];
}

const toV2: Upcaster = {
  from: 'identity.thing-named.v1',
  to: 'identity.thing-named.v2',
  upcast: (data): V2 => ({ names: [(data as V1).name] }),
};
const toV3: Upcaster = {
  from: 'identity.thing-named.v2',
  to: 'identity.thing-named.v3',
  upcast: (data) => ({ ...(data as V2), count: (data as V2).names.length }),
};

describe('upcasting', () => {
  it('carries an old event through every version to the newest, whatever the order of the list', () => {
    const expected = { type: 'identity.thing-named.v3', data: { names: ['Ada'], count: 1 } };
    for (const upcasters of [
      [toV2, toV3],
      [toV3, toV2],
    ]) {
      const upcast = upcastWith(upcasters);
      expect(upcast({ type: 'identity.thing-named.v1', data: { name: 'Ada' } })).toEqual(expected);
      expect(upcast({ type: 'identity.thing-named.v2', data: { names: ['Ada'] } })).toEqual(
        expected,
      );
    }
  });

  it('leaves the newest version and other types as they are', () => {
    const upcast = upcastWith([toV2]);
    const event = { type: 'identity.thing-named.v2', data: { names: [] } };
    expect(upcast(event)).toEqual(event);
    expect(upcast({ type: 'other', data: 1 })).toEqual({ type: 'other', data: 1 });
  });

  it('refuses two ways forward from one version, and circles', () => {
    expect(() => upcastWith([toV2, { ...toV3, from: toV2.from }])).toThrow(
      'two upcasters from identity.thing-named.v1',
    );
    expect(() => upcastWith([toV2, { ...toV3, to: toV2.from }])).toThrow('circle');
  });
});

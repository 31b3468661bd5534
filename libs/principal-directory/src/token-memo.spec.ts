import { describe, expect, it } from 'vitest';
import { mintKey } from './key-token.ts';
import { TokenMemo } from './token-memo.ts';

function tokenOf(index: number): string {
  const random = new Uint8Array(32);
  new DataView(random.buffer).setUint32(0, index);
  return mintKey('k', random).token;
}

describe('the memo of tokens', () => {
  it('spares parsing a kept token again, and forgets the oldest when it is full', () => {
    const memo = new TokenMemo(3);
    const tokens = [0, 1, 2, 3].map(tokenOf);
    const first = tokens.map((token) => {
      const parsed = memo.parse(token);
      if (parsed !== undefined) memo.keep(token, parsed);
      return parsed;
    });
    const again = tokens.map((token) => memo.parse(token));
    expect(again).toEqual(first);
    expect(again.map((parsed, index) => parsed === first[index])).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  it('keeps nothing that was only parsed', () => {
    const memo = new TokenMemo(3);
    expect(memo.parse(tokenOf(1))).not.toBe(memo.parse(tokenOf(1)));
    expect(memo.parse('gh_k_nonsense')).toBeUndefined();
  });
});

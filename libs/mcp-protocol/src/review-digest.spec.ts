import type { RawTool, ToolClass, Transport } from '@gatehouse/event-catalog';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reviewDigest, toolDigests, transportDigest, type UnderReview } from './index.ts';

const pinned = (raw: RawTool, as: ToolClass = 'write'): UnderReview['tools'][number] => ({
  definition: raw,
  digests: toolDigests(raw),
  class: as,
});
const overHttp: Transport = { kind: 'streamable-http', url: 'http://127.0.0.1:9/mcp' };
const stdio = {
  kind: 'stdio',
  command: 'node',
  args: ['a', 'b'],
  env: { A: '1', B: '2' },
} as const;
const overStdio = (changes: Partial<Extract<Transport, { kind: 'stdio' }>> = {}): Transport => ({
  ...stdio,
  args: [...stdio.args],
  ...changes,
});

const save: RawTool = { name: 'save', description: 'Saves.', icons: [{ src: 'a' }] };
const load: RawTool = { name: 'load' };
const review: UnderReview = {
  slug: 'files',
  name: 'Files',
  transportDigest: transportDigest(overHttp),
  tools: [pinned(save), pinned(load, 'read')],
};

describe('the digest of a review', () => {
  it('does not depend on the order of the tools', () => {
    const raws = fc.uniqueArray(
      fc.record({
        name: fc.string({ minLength: 1 }),
        description: fc.string(),
        as: fc.constantFrom('read', 'write'),
      }),
      { selector: ({ name }) => name, maxLength: 5 },
    );
    fc.assert(
      fc.property(raws, fc.nat(), (list, turn) => {
        const tools = list.map(({ as, ...raw }) => pinned(raw, as));
        const at = tools.length === 0 ? 0 : turn % tools.length;
        const turned = [...tools.slice(at), ...tools.slice(0, at)].toReversed();
        expect(reviewDigest({ ...review, tools: turned })).toBe(reviewDigest({ ...review, tools }));
      }),
    );
  });

  it('moves with everything that an approval puts in force', () => {
    const others: UnderReview[] = [
      { ...review, slug: 'filed' },
      { ...review, name: 'Filed' },
      { ...review, transportDigest: transportDigest(overStdio()) },
      { ...review, tools: [] },
      { ...review, tools: [pinned(save)] },
      { ...review, tools: [...review.tools, pinned({ name: 'burn' })] },
      { ...review, tools: [...review.tools, pinned(save)] },
      { ...review, tools: [pinned(save, 'read'), pinned(load, 'read')] },
      { ...review, tools: [pinned(save, 'read'), pinned(load, 'write')] },
      { ...review, tools: [pinned({ ...save, name: 'safe' }), pinned(load, 'read')] },
      { ...review, tools: [pinned({ ...save, description: 'x' }), pinned(load, 'read')] },
      { ...review, tools: [pinned({ ...save, inputSchema: {} }), pinned(load, 'read')] },
      { ...review, tools: [pinned({ ...save, icons: [] }), pinned(load, 'read')] },
    ];
    expect(new Set([review, ...others].map(reviewDigest)).size).toBe(others.length + 1);
  });
});

describe('the digest of a transport', () => {
  it('moves with the address, the command, each argument, and each variable', () => {
    const others = [
      overHttp,
      { ...overHttp, url: 'http://127.0.0.1:9/other' },
      overStdio(),
      overStdio({ command: 'sh' }),
      overStdio({ args: ['b', 'a'] }),
      overStdio({ args: ['a b'] }),
      overStdio({ args: [] }),
      overStdio({ env: { A: '1', B: '3' } }),
      overStdio({ env: { A: '1', C: '2' } }),
      overStdio({ env: { A: '1' } }),
    ];
    expect(new Set(others.map(transportDigest)).size).toBe(others.length);
  });

  it('does not depend on the order of the variables', () => {
    expect(transportDigest(overStdio({ env: { B: '2', A: '1' } }))).toBe(
      transportDigest(overStdio()),
    );
  });
});

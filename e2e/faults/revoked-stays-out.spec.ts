import { describe, expect, it } from 'vitest';
import { also, entries, found, witnessed } from './changed-evidence.ts';
import type { Evidence } from './evidence.ts';
import { callOf, goodEvidence as good, refused } from './good-evidence.ts';
import type { AdminOperation, Call } from './history.ts';

const mortal = { caller: 'mortal', keyId: 'key-2' };

describe('revoked stays out', () => {
  it('finds a call that is let in after its gate acknowledged the revocation', () => {
    const again = callOf('again', 2_200, mortal);
    expect(found(witnessed(again))).toEqual([
      'allowed on a gate that had acknowledged the revocation',
    ]);
    const elsewhere = { ...again, node: 'gateway-2' };
    expect(found(witnessed(elsewhere))).toEqual([]);
  });

  it('takes the refusal of somebody who is shut out otherwise for no acknowledgement', () => {
    const suspension: AdminOperation = {
      ...(good.entries.find(({ id }) => id === 'op-1') as AdminOperation),
      id: 'op-0',
      invokedAt: 2_070,
      completedAt: 2_400,
      restricts: { subject: 'server', of: 'steady' },
      leaves: { owner: 'identity', type: 'identity.key-issued.v1', mark: '{}' },
    };
    const early = callOf('early', 1_900, mortal);
    const out = callOf('out', 2_120, { ...mortal, outcome: refused('tool-unknown') });
    const other = callOf('before', 1_950);
    const inside = callOf('more', 2_200);
    const judged = (outOf: Call): string[] =>
      found({
        ...witnessed(inside),
        entries: also(suspension, early, other, outOf, inside),
      }).filter((what) => what.includes('acknowledged'));
    expect(judged(out)).toEqual([]);
    expect(judged({ ...out, caller: 'writer', keyId: 'key-1' })).not.toEqual([]);
  });

  it('finds a call that is let in long after the revocation was answered, on any gate', () => {
    const late = callOf('late', 4_000, { ...mortal, node: 'gateway-2' });
    expect(found(witnessed(late))).toEqual(['allowed long after the revocation was answered']);
  });

  it('puts the bound off while something is broken, and not for ever', () => {
    const during = { entries: entries('op-1', { invokedAt: 9_900, completedAt: 9_950 }) };
    const call = callOf('late', 33_000, { ...mortal, node: 'gateway-2' });
    const later = { ...call, invokedAt: 36_000, completedAt: 36_005 };
    const withCall = (made: Call): Partial<Evidence> => ({
      ...witnessed(made),
      entries: [...during.entries, made],
    });
    expect(found(withCall(call))).toEqual([]);
    expect(found(withCall(later))).toEqual(['allowed long after the revocation was answered']);
  });

  it('lets only a fault that hits the gate, or the owner of the change, put the bound off', () => {
    const during = entries('op-1', { invokedAt: 9_900, completedAt: 9_950 });
    const call = callOf('late', 33_000, { ...mortal, node: 'gateway-2' });
    const judged = (hits: readonly string[]): string[] =>
      found({
        ...witnessed(call),
        entries: [
          ...during.map((entry) => (entry.kind === 'fault' ? { ...entry, hits } : entry)),
          call,
        ],
      });
    expect(judged(['gateway-2'])).toEqual([]);
    expect(judged(['identity'])).toEqual([]);
    expect(judged(['gateway-1', 'policy', 'registry', 'audit', 'admin'])).toEqual([
      'allowed long after the revocation was answered',
    ]);
  });

  it('judges what a narrowed role took: that tool, of all who hold it, and nothing else', () => {
    const at = { server: 'steady', tool: 'put' };
    const narrowed: AdminOperation = {
      ...(good.entries.find(({ id }) => id === 'op-1') as AdminOperation),
      id: 'op-0',
      restricts: { subject: 'role', of: 'worker', at },
      leaves: { owner: 'identity', type: 'identity.key-issued.v1', mark: '{}' },
    };
    const worker = { caller: 'worker', role: 'worker', keyId: 'key-3' } as const;
    const before = callOf('before', 1_000, { ...worker, tool: 'put' });
    const judged = (...calls: Call[]): string[] =>
      found({ entries: also(narrowed, before, ...calls) }).filter((what) =>
        what.startsWith('allowed'),
      );
    const late = callOf('late', 4_000, { ...worker, tool: 'put' });
    const tooLate = ['allowed long after the revocation was answered'];
    expect(judged(late)).toEqual(tooLate);
    expect(judged({ ...late, caller: 'other', keyId: 'key-4' })).toEqual(tooLate);
    expect(judged({ ...late, role: 'writer' })).toEqual([]);
    expect(judged({ ...late, tool: 'look' })).toEqual([]);
    const refusal = { outcome: refused('tool-unknown') };
    const out = callOf('out', 2_100, { ...worker, ...refusal, tool: 'put' });
    const again = callOf('again', 2_200, { ...worker, tool: 'put' });
    expect(judged(out, again)).toEqual(['allowed on a gate that had acknowledged the revocation']);
    // The mortal has lost its key besides: what it is refused tells nothing of the role.
    const mortals = callOf('mortals', 1_000, { ...mortal, role: 'worker', tool: 'put' });
    expect(judged(mortals, { ...out, ...mortal }, again)).toEqual([]);
  });

  it('judges every call of a person who was deactivated', () => {
    const deactivated: AdminOperation = {
      ...(good.entries.find(({ id }) => id === 'op-1') as AdminOperation),
      id: 'op-0',
      restricts: { subject: 'principal', of: 'person' },
      leaves: { owner: 'identity', type: 'identity.key-issued.v1', mark: '{}' },
    };
    const late = callOf('late', 4_000, { caller: 'person', keyId: 'any' });
    const judged = (call: Call): string[] =>
      found({ ...witnessed(call), entries: also(deactivated, call) });
    expect(judged(late)).toEqual(['allowed long after the revocation was answered']);
    expect(judged({ ...late, caller: 'another' })).toEqual([]);
  });

  it('takes for no acknowledgement what may still be of an earlier suspension', () => {
    const change = good.entries.find(({ id }) => id === 'op-1') as AdminOperation;
    const shaky = { subject: 'server', of: 'shaky' } as const;
    const { restricts: _, ...plain } = change;
    const suspended = { ...change, id: 'op-9', restricts: shaky, invokedAt: 1_800 };
    const judged = (resumedAt: number, wellAt: number): string[] => {
      const at = { invokedAt: resumedAt, completedAt: resumedAt + 10 };
      const resumed = { ...plain, id: 'op-0', restores: shaky, ...at };
      const calls = [
        callOf('before', wellAt, { server: 'shaky' }),
        callOf('out', 1_900, { server: 'shaky', outcome: refused('tool-unknown') }),
        callOf('in', 2_000, { server: 'shaky' }),
      ];
      return found({ entries: also(resumed, suspended, ...calls) }).filter((what) =>
        what.startsWith('allowed'),
      );
    };
    expect(judged(100, 1_750)).toEqual(['allowed on a gate that had acknowledged the revocation']);
    expect(judged(100, 50)).toEqual([]);
    expect(judged(1_700, 1_750)).toEqual([]);
  });

  it('lets a server in again once it was resumed', () => {
    const suspension: AdminOperation = {
      ...(good.entries.find(({ id }) => id === 'op-1') as AdminOperation),
      id: 'op-0',
      restricts: { subject: 'server', of: 'shaky' },
      leaves: { owner: 'identity', type: 'identity.key-issued.v1', mark: '{}' },
    };
    const shaky = { server: 'shaky' };
    const early = callOf('early', 5_000, shaky);
    const late = callOf('late', 31_100, shaky);
    const judged = (call: Call): string[] =>
      found({ ...witnessed(call), entries: also(suspension, call) });
    expect(judged(early)).toEqual(['allowed long after the revocation was answered']);
    expect(judged(late)).toEqual([]);
  });
});

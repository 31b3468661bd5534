import { given } from '@gatehouse/event-sourcing';
import { describe, expect, it } from 'vitest';
import { keyDecider, type KeyEvent } from './key.decider.ts';

const keyId = 'k1';
const now = new Date('2026-01-01T12:00:00.000Z');
const issue = {
  type: 'issue-key',
  keyId,
  principal: { kind: 'agent', id: 'a1' },
  label: 'ci',
  secretSha256: 'f'.repeat(64),
  expiresAt: '2026-01-02T12:00:00.000Z',
  rotatedFrom: null,
} as const;
const { type: _type, ...data } = issue;
const issued: KeyEvent = { type: 'identity.key-issued.v1', data };
const forEver: KeyEvent = {
  type: 'identity.key-issued.v1',
  data: { ...data, expiresAt: null },
};
const retire = { type: 'retire-key', keyId, replacedBy: 'k2', overlapSeconds: 3_600 } as const;
const retiring: KeyEvent = {
  type: 'identity.key-retiring.v1',
  data: { keyId, replacedBy: 'k2', overlapUntil: '2026-01-01T13:00:00.000Z' },
};
const revoke = { type: 'revoke-key', keyId, reason: 'leaked' } as const;
const revoked: KeyEvent = { type: 'identity.key-revoked.v1', data: { keyId, reason: 'leaked' } };

describe('a key', () => {
  it('is issued with an expiry in the future, or with none', () => {
    given(keyDecider).when(issue, { now }).emits(issued);
    given(keyDecider)
      .when({ ...issue, expiresAt: null }, { now })
      .emits(forEver);
  });

  it('is not issued with an expiry that is past, nor one that is now', () => {
    for (const expiresAt of ['2025-12-31T00:00:00.000Z', now.toISOString()]) {
      given(keyDecider)
        .when({ ...issue, expiresAt }, { now })
        .refuses('key-expiry-past');
    }
  });

  it('is never issued over another', () => {
    expect(() => given(keyDecider, issued).when(issue, { now }).emitsNothing()).toThrow(
      'exists already',
    );
  });

  it('retires for a successor and works on until the overlap ends', () => {
    given(keyDecider, issued).when(retire, { now }).emits(retiring);
  });

  it('without an overlap ends at once', () => {
    given(keyDecider, issued)
      .when({ ...retire, overlapSeconds: 0 }, { now })
      .emits({
        type: 'identity.key-retiring.v1',
        data: { keyId, replacedBy: 'k2', overlapUntil: now.toISOString() },
      });
  });

  it('has one successor only', () => {
    given(keyDecider, issued, retiring)
      .when({ ...retire, replacedBy: 'k3' }, { now })
      .refuses('key-ended');
  });

  it('is not rotated once it expired or was revoked', () => {
    const later = new Date('2026-01-02T12:00:00.000Z');
    given(keyDecider, issued).when(retire, { now: later }).refuses('key-ended');
    given(keyDecider, issued, revoked).when(retire, { now }).refuses('key-ended');
  });

  it('is revoked once, also in its overlap, and without a second event', () => {
    given(keyDecider, issued).when(revoke).emits(revoked);
    given(keyDecider, issued, retiring).when(revoke).emits(revoked);
    given(keyDecider, issued, revoked).when(revoke).emitsNothing();
  });

  it('that nobody issued is refused', () => {
    given(keyDecider).when(revoke).refuses('key-unknown');
    given(keyDecider).when(retire).refuses('key-unknown');
  });
});

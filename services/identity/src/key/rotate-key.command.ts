import {
  fold,
  handleCommand,
  type DecisionContext,
  type EventStore,
} from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Handler } from '../identity-handler.ts';
import { keyDecider, keyStream, type KeyEvent } from './key.decider.ts';
import { mintNewKey } from './mint-new-key.ts';
import { successorExpiry } from './successor-expiry.ts';

/**
 * Replaces a key by a successor for the same principal. Two streams, hence two appends, and the second decides: a
 * successor opens nothing until its predecessor names it (see the keys' state). So a crash between the two leaves the
 * old key as it was and a successor that is inert, and of two rotations at once one wins and the other takes back.
 */
export const rotateKey =
  (store: EventStore): Handler<'rotate-key'> =>
  async ({ keyId, overlapSeconds }, context) => {
    const successor = mintNewKey();
    const retire = {
      type: 'retire-key',
      keyId,
      replacedBy: successor.keyId,
      overlapSeconds,
    } as const;
    const { key, issuedAt } = await loadKey(store, keyId);
    // Asked once before anything is appended, so that a key that has ended gets no successor at all.
    keyDecider.decide(retire, key, context);
    if (key.status === 'unknown') throw new Refusal('key-unknown');
    const expiresAt = successorExpiry(issuedAt, key.expiresAt, context.now);
    const { token, ...kept } = successor;
    const { principal, label } = key;
    await handleCommand(
      store,
      keyDecider,
      keyStream(successor.keyId),
      { type: 'issue-key', ...kept, principal, label, expiresAt, rotatedFrom: keyId },
      context,
    );
    try {
      const outcome = await handleCommand(store, keyDecider, keyStream(keyId), retire, context);
      return receipt(outcome, { keyId: successor.keyId, token, expiresAt });
    } catch (error) {
      // Only a refusal says for certain that the predecessor does not name the successor; after a lost connection it may.
      if (error instanceof Refusal) await takeBack(store, successor.keyId, context);
      throw error;
    }
  };

async function loadKey(store: EventStore, keyId: string) {
  const history = await store.readStream(keyStream(keyId));
  const key = fold(keyDecider, history as readonly unknown[] as readonly KeyEvent[]);
  return { key, issuedAt: history[0]?.occurredAt ?? '' };
}

async function takeBack(store: EventStore, keyId: string, context: DecisionContext): Promise<void> {
  const command = { type: 'revoke-key', keyId, reason: 'its rotation did not come about' } as const;
  // The successor is inert either way; the failure that the caller must hear is the first one.
  await handleCommand(store, keyDecider, keyStream(keyId), command, context).catch(() => undefined);
}

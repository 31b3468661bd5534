import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { keyDecider, keyStream } from './key.decider.ts';
import { mintNewKey } from './mint-new-key.ts';

/** Issues a key to a known and active user or agent; its token is answered here and never again. */
export const issueKey =
  (store: EventStore): Handler<'issue-key'> =>
  async ({ principal, label, expiresAt }, context) => {
    const { keyId, token, secretSha256 } = mintNewKey();
    const outcome = await handleCommand(
      store,
      keyDecider,
      keyStream(keyId),
      { type: 'issue-key', keyId, principal, label, secretSha256, expiresAt, rotatedFrom: null },
      context,
    );
    return receipt(outcome, { keyId, token, expiresAt });
  };

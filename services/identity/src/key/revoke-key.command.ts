import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { keyDecider, keyStream } from './key.decider.ts';

/** Ends a key at once; a key that ended so already is left as it is. */
export const revokeKey =
  (store: EventStore): Handler<'revoke-key'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      keyDecider,
      keyStream(command.keyId),
      { type: 'revoke-key', ...command },
      context,
    );
    return receipt(outcome, null);
  };

import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../registry-handler.ts';
import { serverDecider, serverStream } from './server.decider.ts';

/** Takes a server out of service at once; what was approved stays approved. */
export const suspendServer =
  (store: EventStore): Handler<'suspend-server'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      serverDecider,
      serverStream(command.slug),
      { type: 'suspend-server', ...command },
      context,
    );
    return receipt(outcome, null);
  };

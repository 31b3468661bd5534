import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../registry-handler.ts';
import { serverDecider, serverStream } from './server.decider.ts';

/** Refuses a server that is not in service; its slug is free again. */
export const rejectServer =
  (store: EventStore): Handler<'reject-server'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      serverDecider,
      serverStream(command.slug),
      { type: 'reject-server', ...command },
      context,
    );
    return receipt(outcome, null);
  };

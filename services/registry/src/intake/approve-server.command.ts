import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../registry-handler.ts';
import { serverDecider, serverStream } from './server.decider.ts';

/** Pins the catalogue that the reviewer saw; from here on exactly that is served. */
export const approveServer =
  (store: EventStore): Handler<'approve-server'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      serverDecider,
      serverStream(command.slug),
      { type: 'approve-server', ...command },
      context,
    );
    return receipt(outcome, null);
  };

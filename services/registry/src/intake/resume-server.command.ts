import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../registry-handler.ts';
import { serverDecider, serverStream } from './server.decider.ts';

/** Puts a suspended server back in service, exactly as it was approved. */
export const resumeServer =
  (store: EventStore): Handler<'resume-server'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      serverDecider,
      serverStream(command.slug),
      { type: 'resume-server', ...command },
      context,
    );
    return receipt(outcome, null);
  };

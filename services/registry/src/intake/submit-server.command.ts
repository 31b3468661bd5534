import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import { requireAllowedCommand } from '@gatehouse/upstream-client';
import type { RegistryConfig } from '../registry.config.ts';
import type { Handler } from '../registry-handler.ts';
import { requireSoundSubmission } from './require-sound-submission.ts';
import { serverDecider, serverStream } from './server.decider.ts';

/** Takes a server into intake. A stdio command that the operator does not allow is refused here already. */
export const submitServer =
  (
    store: EventStore,
    { stdioCommands }: Pick<RegistryConfig, 'stdioCommands'>,
  ): Handler<'submit-server'> =>
  async (command, context) => {
    requireAllowedCommand(command.transport, stdioCommands);
    requireSoundSubmission(command);
    const outcome = await handleCommand(
      store,
      serverDecider,
      serverStream(command.slug),
      { type: 'submit-server', ...command },
      context,
    );
    return receipt(outcome, null);
  };

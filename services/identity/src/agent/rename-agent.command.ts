import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { agentDecider, agentStream } from './agent.decider.ts';

/** Changes an agent's name and description. */
export const renameAgent =
  (store: EventStore): Handler<'rename-agent'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      agentDecider,
      agentStream(command.agentId),
      { type: 'rename-agent', ...command },
      context,
    );
    return receipt(outcome, null);
  };

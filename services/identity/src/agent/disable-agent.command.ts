import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { agentDecider, agentStream } from './agent.decider.ts';

/** Locks an agent out, unless that would leave nobody to administer the gate. */
export const disableAgent =
  (store: EventStore): Handler<'disable-agent'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      agentDecider,
      agentStream(command.agentId),
      { type: 'disable-agent', ...command },
      context,
    );
    return receipt(outcome, null);
  };

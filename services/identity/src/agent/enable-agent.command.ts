import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { agentDecider, agentStream } from './agent.decider.ts';

/** Lets a disabled agent call again. */
export const enableAgent =
  (store: EventStore): Handler<'enable-agent'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      agentDecider,
      agentStream(command.agentId),
      { type: 'enable-agent', ...command },
      context,
    );
    return receipt(outcome, null);
  };

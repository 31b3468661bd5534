import { randomUUID } from 'node:crypto';
import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { agentDecider, agentStream } from './agent.decider.ts';

/** Creates a robot identity; a name that another agent has, or an owner who is not there, is refused. */
export const registerAgent =
  (store: EventStore): Handler<'register-agent'> =>
  async (command, context) => {
    const agentId = randomUUID();
    const outcome = await handleCommand(
      store,
      agentDecider,
      agentStream(agentId),
      { type: 'register-agent', agentId, ...command },
      context,
    );
    return receipt(outcome, { agentId });
  };

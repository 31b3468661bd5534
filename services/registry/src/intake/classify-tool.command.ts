import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../registry-handler.ts';
import { serverDecider, serverStream } from './server.decider.ts';

/** Sets whether a tool reads or writes, over what was proposed; served from the next approval on. */
export const classifyTool =
  (store: EventStore): Handler<'classify-tool'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      serverDecider,
      serverStream(command.slug),
      { type: 'classify-tool', ...command },
      context,
    );
    return receipt(outcome, null);
  };

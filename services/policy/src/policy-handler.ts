import type { policyCommands } from '@gatehouse/event-catalog';
import type { CommandHandlers } from '@gatehouse/platform';

/** What answers one of policy's commands. */
export type Handler<Name extends keyof typeof policyCommands> = CommandHandlers<
  typeof policyCommands
>[Name];

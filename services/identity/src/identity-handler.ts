import type { identityCommands } from '@gatehouse/event-catalog';
import type { CommandHandlers } from '@gatehouse/platform';

/** What answers one of identity's commands. */
export type Handler<Name extends keyof typeof identityCommands> = CommandHandlers<
  typeof identityCommands
>[Name];

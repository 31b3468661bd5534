import type { registryCommands } from '@gatehouse/event-catalog';
import type { CommandHandlers } from '@gatehouse/platform';

/** The handler of one of the registry's commands. */
export type Handler<K extends keyof typeof registryCommands> = CommandHandlers<
  typeof registryCommands
>[K];

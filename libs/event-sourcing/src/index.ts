export { fold, type Decider, type DecisionContext } from './decider.ts';
export {
  ConcurrencyError,
  type AppendReceipt,
  type EventStore,
  type EventToAppend,
} from './event-store.ts';
export { handleCommand, type CommandOutcome } from './handle-command.ts';
export { given } from './given.ts';
export {
  MessageTooLarge,
  PoisonMessage,
  type BusHealth,
  type EventBus,
  type IncomingMessage,
  type MessageBatch,
  type OutgoingMessage,
  type StateReader,
  type SubscribeOptions,
  type Subscription,
} from './event-bus.ts';

import type { CommandReceipt, ContractTable, RequestOf, ResultOf } from '@gatehouse/event-catalog';
import type { CommandOutcome, DecisionContext } from '@gatehouse/event-sourcing';

/** One handler per contract of a service; the compiler holds the table complete. */
export type CommandHandlers<T extends ContractTable> = {
  readonly [K in keyof T]: (
    command: RequestOf<T, K>,
    context: DecisionContext,
  ) => Promise<CommandReceipt<ResultOf<T, K>>>;
};

/** The same for queries, which leave no receipt. */
export type QueryHandlers<T extends ContractTable> = {
  readonly [K in keyof T]: (
    query: RequestOf<T, K>,
    context: DecisionContext,
  ) => Promise<ResultOf<T, K>>;
};

/** A command's answer: where it left its stream, and its result. */
export function receipt<Result>(
  {
    stream,
    version,
    position,
  }: Pick<CommandOutcome<unknown, unknown>, 'stream' | 'version' | 'position'>,
  result: Result,
): CommandReceipt<Result> {
  return { stream, version, position, result };
}

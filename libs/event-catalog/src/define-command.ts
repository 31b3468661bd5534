import { z } from 'zod';
import { actorSchema } from './envelope.ts';

/** One command or query that a service takes at `POST /internal/<service>/<name>`: the shapes both sides hold to. */
export interface MessageContract<
  Request extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  readonly request: Request;
  readonly result: Result;
  readonly meaning: string;
}

/** Declares one internal command or query. */
export function message<Request extends z.ZodType, Result extends z.ZodType>(
  meaning: string,
  request: Request,
  result: Result,
): MessageContract<Request, Result> {
  return { meaning, request, result };
}

/** What an owner takes or answers, by name. */
export type ContractTable = Readonly<Record<string, MessageContract>>;

/** What is sent with a message of a table. */
export type RequestOf<T extends ContractTable, K extends keyof T> = z.infer<T[K]['request']>;

/** What is answered to a message of a table. */
export type ResultOf<T extends ContractTable, K extends keyof T> = z.infer<T[K]['result']>;

/** What travels to an owner: the command, who asked for it and the correlation that its events will carry. */
export const commandEnvelopeSchema = z.strictObject({
  actor: actorSchema,
  correlationId: z.string().min(1).max(128),
  command: z.unknown(),
});

/** Where a command left its stream: admin waits until its read model has applied `position` of this owner before it answers. A command that changed nothing repeats the stream's last. */
export const commandReceiptSchema = z.strictObject({
  stream: z.string(),
  version: z.number().int().nonnegative(),
  position: z.number().int().nonnegative(),
  result: z.unknown(),
});

/** Where the event of a command lies, and what else its sender is told. */
export type CommandReceipt<Result = unknown> = {
  readonly stream: string;
  readonly version: number;
  readonly position: number;
  readonly result: Result;
};

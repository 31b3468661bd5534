import type {
  CommandReceipt,
  ContractTable,
  RequestOf,
  ResultOf,
  ServiceName,
} from '@gatehouse/event-catalog';
import type { Logger, OwnerClient, ProjectionRunner, SentBy } from '@gatehouse/platform';
import { Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import { callerOf, type RequestContext } from '../caller/caller.ts';
import { measuredWait } from './read-model-metrics.ts';

export const IDENTITY = Symbol('what sends commands to identity');
export const POLICY = Symbol('what sends commands to policy');
export const REGISTRY = Symbol('what sends commands to the registry');

const LOOK_AGAIN_MS = 25;

/** A change that was made and whose result must not be lost, even when it cannot be read here in time. */
export interface Sent<Result> {
  readonly result: Result;
  /** What `find` answers once the change is in the read model; null where that fails or takes too long. */
  readonly readBack: <Found>(find: () => Promise<Found | null>) => Promise<Found | null>;
}

/** Sends the commands of a contract to the service that owns them, on the caller's behalf, and waits until this service's read model has what they did. */
export class CommandSender<T extends ContractTable> {
  readonly #owner: ServiceName;
  readonly #contracts: T;
  readonly #owners: Pick<OwnerClient, 'command'>;
  readonly #runner: Pick<ProjectionRunner, 'waitFor'>;
  readonly #timeoutMs: number;
  readonly #log: Logger;

  constructor(
    owner: ServiceName,
    contracts: T,
    deps: {
      owners: Pick<OwnerClient, 'command'>;
      runner: Pick<ProjectionRunner, 'waitFor'>;
      timeoutMs: number;
      log: Logger;
    },
  ) {
    this.#owner = owner;
    this.#contracts = contracts;
    this.#owners = deps.owners;
    this.#runner = deps.runner;
    this.#timeoutMs = deps.timeoutMs;
    this.#log = deps.log;
  }

  /** Answers the result once the change can be read here; `read-model-behind` when that takes too long. */
  async send<K extends keyof T & string>(
    name: K,
    command: RequestOf<T, K>,
    context: RequestContext,
  ): Promise<ResultOf<T, K>> {
    const receipt = await this.#command(name, command, context);
    await this.#waitFor(receipt);
    return receipt.result;
  }

  /** The same for a result that exists nowhere else: it is answered at once, and what it made is read back after. */
  async sendForSecret<K extends keyof T & string>(
    name: K,
    command: RequestOf<T, K>,
    context: RequestContext,
  ): Promise<Sent<ResultOf<T, K>>> {
    const receipt = await this.#command(name, command, context);
    const deadline = Date.now() + this.#timeoutMs;
    const seen = async <Found>(find: () => Promise<Found | null>): Promise<Found | null> => {
      await this.#waitFor(receipt);
      // The receipt is of one stream; what was made may be in another, a little behind.
      for (;;) {
        const found = await find();
        if (found !== null || Date.now() > deadline) return found;
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
    };
    return {
      result: receipt.result,
      readBack: (find) =>
        seen(find).catch((error: unknown) => {
          const by = sentBy(context);
          this.#log.warn({ err: error, ...by, name }, 'what was made could not be read back');
          return null;
        }),
    };
  }

  #command<K extends keyof T & string>(
    name: K,
    command: RequestOf<T, K>,
    context: RequestContext,
  ): Promise<CommandReceipt<ResultOf<T, K>>> {
    return this.#owners.command(this.#owner, this.#contracts, name, command, sentBy(context));
  }

  #waitFor({ stream, position }: CommandReceipt): Promise<void> {
    return measuredWait(() => this.#runner.waitFor(this.#owner, stream, position, this.#timeoutMs));
  }
}

/** In whose name something is sent to an owner. */
export function sentBy(context: RequestContext): SentBy {
  return { actor: callerOf(context).actor, correlationId: context.correlationId };
}

/** What was just written; a refusal where somebody else deleted it in the meantime. */
export function existing<T>(found: T | null, code: ProblemCode): T {
  if (found === null) throw new Refusal(code);
  return found;
}

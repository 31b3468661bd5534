import type {
  Actor,
  CommandReceipt,
  ContractTable,
  RequestOf,
  ResultOf,
  ServiceName,
} from '@gatehouse/event-catalog';
import { problems, Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import type { Platform } from '../platform.ts';
import { traceparentOf, withSpan } from '../tracing/span.ts';

const TIMEOUT_MS = 30_000;
const PROBLEM = 'application/problem+json';

/** On whose behalf a message is sent, and the correlation its events carry. */
export interface SentBy {
  readonly actor: Actor;
  readonly correlationId: string;
}

/** Sends commands and queries to the service that owns them, at `POST /internal/<service>/<name>`. A refusal over there is thrown here as the same Refusal. */
export class OwnerClient {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async command<T extends ContractTable, K extends keyof T & string>(
    service: ServiceName,
    _contracts: T,
    name: K,
    command: RequestOf<T, K>,
    by: SentBy,
  ): Promise<CommandReceipt<ResultOf<T, K>>> {
    return (await this.#post(service, name, command, by)) as CommandReceipt<ResultOf<T, K>>;
  }

  async query<T extends ContractTable, K extends keyof T & string>(
    service: ServiceName,
    _contracts: T,
    name: K,
    query: RequestOf<T, K>,
    by: SentBy,
  ): Promise<ResultOf<T, K>> {
    return (await this.#post(service, name, query, by)) as ResultOf<T, K>;
  }

  async #post(service: ServiceName, name: string, command: unknown, by: SentBy): Promise<unknown> {
    return withSpan(`ask ${service} to ${name}`, { kind: 'client' }, (span) =>
      this.#send(service, name, { ...by, command }, traceparentOf(span)),
    );
  }

  async #send(
    service: ServiceName,
    name: string,
    { actor, correlationId, command }: SentBy & { readonly command: unknown },
    traceparent: string | undefined,
  ): Promise<unknown> {
    try {
      const response = await fetch(
        `${this.#platform.serviceUrl(service)}/internal/${service}/${name}`,
        {
          method: 'POST',
          headers: {
            authorization: `Bearer ${this.#platform.serviceToken}`,
            'content-type': 'application/json',
            ...(traceparent === undefined ? {} : { traceparent }),
          },
          body: JSON.stringify({ actor, correlationId, command }),
          signal: AbortSignal.timeout(TIMEOUT_MS),
        },
      );
      const answer: unknown = await response.json();
      // Not by status alone: a problem that MCP answers within a result carries 200.
      const isProblem = response.headers.get('content-type')?.startsWith(PROBLEM) ?? false;
      if (response.ok && !isProblem) return answer;
      throw toRefusal(service, answer);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal('service-unavailable', {
        internal: `${service}: ${(error as Error).message}`,
        cause: error,
      });
    }
  }
}

function toRefusal(service: ServiceName, answer: unknown): Refusal {
  const { code, detail } = answer as { code?: string; detail?: string };
  if (code === undefined || !Object.hasOwn(problems, code)) {
    return new Refusal('service-unavailable', {
      internal: `${service} answered ${JSON.stringify(answer)}`,
    });
  }
  return new Refusal(code as ProblemCode, detail === undefined ? {} : { detail });
}

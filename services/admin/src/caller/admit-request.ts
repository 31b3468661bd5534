import { Refusal } from '@gatehouse/problem-catalog';
import type { AccessState } from './access-state.ts';
import type { Caller, RequestContext } from './caller.ts';

const JSON_TYPE = /^application\/json(?:\s*;|$)/i;

/** What admission looks at. The object is remembered as long as the request lives. */
export interface IncomingRequest {
  readonly id: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>> & {
    readonly authorization?: string | undefined;
    readonly 'content-type'?: string | undefined;
  };
}

/**
 * Decides before the body is read whether a request is looked at: a POST of JSON, which no web page of another origin
 * can send unasked, from somebody whose key is good. Remembers who it was.
 */
export class RequestAdmission {
  readonly #access: Pick<AccessState, 'authenticate'>;
  readonly #callers = new WeakMap<IncomingRequest, Caller>();

  constructor(access: Pick<AccessState, 'authenticate'>) {
    this.#access = access;
  }

  admit(request: IncomingRequest): void {
    if (request.method !== 'POST') throw new Refusal('http-method-unsupported');
    const caller = this.#access.authenticate(request.headers.authorization);
    if (!JSON_TYPE.test(request.headers['content-type'] ?? ''))
      throw new Refusal('content-type-unsupported');
    this.#callers.set(request, caller);
  }

  contextOf(request: IncomingRequest): RequestContext {
    return { caller: this.#callers.get(request), correlationId: request.id };
  }
}

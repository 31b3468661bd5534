import { whyUnreachable } from './why-unreachable.ts';

/** A refusal or failure that the GraphQL API answered; `code` is of the problem catalogue. */
export class GraphQLFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'GraphQLFailure';
    this.code = code;
  }
}

/** Nobody answers there, or somebody who is no Gatehouse. */
class NoGatehouse extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NoGatehouse';
  }
}

interface GraphQLAnswer {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string };
  }[];
  readonly code?: string;
  readonly detail?: string;
  readonly title?: string;
}

/** Asks the admin API of a running Gatehouse as the holder of `token`; throws GraphQLFailure unless all went well. */
export async function askGraphQL<Data>(
  url: string,
  token: string,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Data> {
  const answer = await ask(url, token, { query, variables });
  const error = answer.errors?.[0];
  if (error !== undefined)
    throw new GraphQLFailure(error.extensions?.code ?? 'internal', error.message);
  if (answer.data === undefined)
    throw new GraphQLFailure(
      answer.code ?? 'internal',
      answer.detail ?? answer.title ?? 'no answer',
    );
  return answer.data as Data;
}

async function ask(url: string, token: string, question: unknown): Promise<GraphQLAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(question),
  }).catch((error: unknown) => {
    const why = whyUnreachable(error) ?? (error as Error).message;
    throw new NoGatehouse(`no Gatehouse can be reached at ${url}: ${why}`, { cause: error });
  });
  const answer: unknown = await response.json().catch(() => undefined);
  const isOurs = ['data', 'errors', 'code'].some(
    (name) => typeof answer === 'object' && answer !== null && name in answer,
  );
  if (!isOurs)
    throw new NoGatehouse(
      `what answers at ${url} (${response.status}) is no admin API of a Gatehouse`,
    );
  return answer as GraphQLAnswer;
}

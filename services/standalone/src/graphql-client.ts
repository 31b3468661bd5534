/** A refusal or failure that the GraphQL API answered; `code` is of the problem catalogue. */
export class GraphQLFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'GraphQLFailure';
    this.code = code;
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
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as GraphQLAnswer;
  const error = answer.errors?.[0];
  if (error !== undefined)
    throw new GraphQLFailure(error.extensions?.code ?? 'internal', error.message);
  if (!response.ok)
    throw new GraphQLFailure(
      answer.code ?? 'internal',
      answer.detail ?? answer.title ?? 'no answer',
    );
  return answer.data as Data;
}

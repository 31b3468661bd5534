import { askGraphQL, GraphQLFailure } from '@gatehouse/standalone';
import type { AdminOperation, History, Outcome, Owner, Restriction } from './history.ts';
import type { Identity } from './caller.ts';

const PATIENCE_MS = 20_000;
/** The owner may have done it, and its answer been lost. */
const MAYBE_DONE = new Set(['service-unavailable', 'read-model-behind', 'internal']);

type Mode = 'READ' | 'WRITE';

/** An agent or a person as the lane made it. */
export interface MadePrincipal extends Identity {
  readonly kind: 'AGENT' | 'USER';
  readonly principalId: string;
}

/** How each kind comes about. */
const MAKING = {
  AGENT: {
    action: 'register agent',
    event: 'identity.agent-registered.v1',
    mutation: `($input: RegisterAgentInput!) { made: registerAgent(input: $input) { principal: agent { id } } }`,
    inputOf: (name: string, id: string) => ({ name, description: id }),
  },
  USER: {
    action: 'provision user',
    event: 'identity.user-provisioned.v1',
    mutation: `($input: ProvisionUserInput!) { made: provisionUser(input: $input) { principal: user { id } } }`,
    inputOf: (name: string, id: string) => ({ userName: name, displayName: id }),
  },
} as const;

interface Change {
  readonly action: string;
  readonly entity: string;
  readonly owner: Owner;
  readonly event: string;
  /** What marks the event; the id of the operation where nothing else is said. */
  readonly mark?: string;
  readonly restricts?: Restriction;
  readonly restores?: Restriction;
  readonly mutation: string;
  readonly input: (id: string) => Readonly<Record<string, unknown>>;
}

interface Changed<Data> {
  readonly operation: AdminOperation;
  /** What was answered, where it went well. */
  readonly data?: Data;
}

/** The administrator at the GraphQL API: every change it asks for is in the history, and none is asked for twice. */
export class RecordedAdministrator {
  readonly #url: () => string;
  readonly #token: string;
  readonly #history: History;

  constructor(url: () => string, token: string, history: History) {
    this.#url = url;
    this.#token = token;
    this.#history = history;
  }

  ask<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Data> {
    return askGraphQL<Data>(this.#url(), this.#token, query, variables);
  }

  /** Makes a principal, gives it a role and issues it a key; undefined where one of these did not go well. */
  async create(
    kind: MadePrincipal['kind'],
    name: string,
    role: string,
  ): Promise<MadePrincipal | undefined> {
    const { action, event, mutation, inputOf } = MAKING[kind];
    const { data } = await this.#change<{ made: { principal: { id: string } } }>({
      action,
      entity: name,
      owner: 'identity',
      event,
      mutation,
      input: (id) => inputOf(name, id),
    });
    if (data === undefined) return undefined;
    const principalId = data.made.principal.id;
    const { operation: assignment } = await this.#change({
      action: 'assign role',
      entity: name,
      owner: 'identity',
      event: 'identity.role-assigned.v1',
      mark: principalId,
      mutation: `($input: AssignRoleInput!) { assignRole(input: $input) { assignment { role } } }`,
      input: () => ({ assignee: { kind, id: principalId }, role }),
    });
    if (assignment.outcome.kind !== 'ok') return undefined;
    const issued = await this.#change<{ issueKey: { keyId: string; token: string } }>({
      action: 'issue key',
      entity: name,
      owner: 'identity',
      event: 'identity.key-issued.v1',
      mutation: `($input: IssueKeyInput!) { issueKey(input: $input) { keyId token } }`,
      input: (id) => ({ principal: { kind, id: principalId }, label: id }),
    });
    return issued.data && { ...issued.data.issueKey, name, role, kind, principalId };
  }

  async revokeKey({ keyId, name }: MadePrincipal): Promise<AdminOperation> {
    const { operation } = await this.#change({
      action: 'revoke key',
      entity: name,
      owner: 'identity',
      event: 'identity.key-revoked.v1',
      restricts: { subject: 'key', of: keyId },
      mutation: `($input: RevokeKeyInput!) { revokeKey(input: $input) { key { status } } }`,
      input: (id) => ({ keyId, reason: id }),
    });
    return operation;
  }

  /** Takes its role from it for good; `at` is a tool that the role grants whatever else changes. */
  async revokeRole(
    { kind, principalId, name, role }: MadePrincipal,
    at: NonNullable<Restriction['at']>,
  ): Promise<AdminOperation> {
    const { operation } = await this.#change({
      action: 'revoke role',
      entity: name,
      owner: 'identity',
      event: 'identity.role-revoked.v1',
      mark: principalId,
      restricts: { subject: 'assignment', of: name, at },
      mutation: `($input: RevokeRoleInput!) { revokeRole(input: $input) { role } }`,
      input: () => ({ assignee: { kind, id: principalId }, role }),
    });
    return operation;
  }

  /** Locks a person out for good. */
  async deactivate({ principalId, name }: MadePrincipal): Promise<AdminOperation> {
    const { operation } = await this.#change({
      action: 'deactivate user',
      entity: name,
      owner: 'identity',
      event: 'identity.user-deactivated.v1',
      restricts: { subject: 'principal', of: name },
      mutation: `($input: DeactivateUserInput!) { deactivateUser(input: $input) { user { active } } }`,
      input: (id) => ({ userId: principalId, reason: id }),
    });
    return operation;
  }

  async suspend(slug: string): Promise<AdminOperation> {
    const { operation } = await this.#change({
      action: 'suspend server',
      entity: slug,
      owner: 'registry',
      event: 'registry.server-suspended.v1',
      restricts: { subject: 'server', of: slug },
      mutation: `($input: SuspendServerInput!) { suspendServer(input: $input) { server { status } } }`,
      input: (id) => ({ slug, reason: id }),
    });
    return operation;
  }

  async resume(slug: string): Promise<AdminOperation> {
    const { operation } = await this.#change({
      action: 'resume server',
      entity: slug,
      owner: 'registry',
      event: 'registry.server-resumed.v1',
      mark: `"${slug}"`,
      restores: { subject: 'server', of: slug },
      mutation: `($input: ResumeServerInput!) { resumeServer(input: $input) { server { status } } }`,
      input: () => ({ slug }),
    });
    return operation;
  }

  /** Asks for a server to be let through; nobody will decide on it. */
  async submit(slug: string): Promise<AdminOperation> {
    const { operation } = await this.#change({
      action: 'submit server',
      entity: slug,
      owner: 'registry',
      event: 'registry.server-submitted.v1',
      mark: `"${slug}"`,
      mutation: `($input: SubmitServerInput!) { submitServer(input: $input) { server { slug } } }`,
      input: () => ({
        slug,
        name: slug,
        transport: { streamableHttp: { url: 'http://127.0.0.1:9/mcp' } },
      }),
    });
    return operation;
  }

  /** Writes a role that permits, of each server named, every tool of that mode; `effect` is what that takes from its holders, or gives back. */
  async defineRole(
    name: string,
    modes: Readonly<Record<string, Mode>>,
    effect: Pick<Change, 'restricts' | 'restores'> = {},
  ): Promise<AdminOperation> {
    const { operation } = await this.#change({
      ...effect,
      action: 'define role',
      entity: name,
      owner: 'policy',
      event: 'policy.role-defined.v1',
      mutation: `($input: DefineRoleInput!) { defineRole(input: $input) { bundleNumber } }`,
      input: (id) => ({
        name,
        description: id,
        connectors: Object.entries(modes).map(([slug, mode]) => ({
          slug,
          tools: [{ tool: '*', mode }],
        })),
      }),
    });
    return operation;
  }

  async #change<Data>(change: Change): Promise<Changed<Data>> {
    const { action, entity, owner, event, mark, restricts, restores } = change;
    const operation = this.#history.admin((id) => ({
      kind: 'admin',
      action,
      entity,
      ...(restricts === undefined ? {} : { restricts }),
      ...(restores === undefined ? {} : { restores }),
      leaves: { owner, type: event, mark: mark ?? id },
    }));
    try {
      const asked = this.ask<Data>(`mutation ${change.mutation}`, {
        input: change.input(operation.id),
      });
      const data = await Promise.race([asked, outOfPatience()]);
      this.#history.end(operation, { kind: 'ok' });
      return { operation, data };
    } catch (error) {
      this.#history.end(operation, outcomeOf(error as Error));
      return { operation };
    }
  }
}

function outcomeOf(error: Error): Outcome {
  if (error instanceof GraphQLFailure) {
    return MAYBE_DONE.has(error.code)
      ? { kind: 'failed', why: `${error.code}: ${error.message}`, answered: true }
      : { kind: 'refused', code: error.code, status: 0 };
  }
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return { kind: 'unknown', why: `${error.message}${cause}` };
}

async function outOfPatience(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(() => reject(new Error('no answer came')), PATIENCE_MS).unref();
  return promise;
}

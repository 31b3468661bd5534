import { randomUUID } from 'node:crypto';
import {
  auditQueries,
  identityCommands,
  policyCommands,
  registryCommands,
  type AuditRow,
  type DomainEvent,
  type EventOf,
  type RoleDefinition,
  type ServiceName,
} from '@gatehouse/event-catalog';
import type { DecisionContext } from '@gatehouse/event-sourcing';
import {
  internalController,
  OutboxRelay,
  platformMigrations,
  PostgresEventStore,
  receipt,
  type CommandHandlers,
  type Platform,
  type QueryHandlers,
  type ServiceModule,
} from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { catalogueOf } from './test-catalogue.ts';

type Owner = Extract<ServiceName, 'identity' | 'policy' | 'registry'>;

export const ownerSchemas = (['identity', 'policy', 'registry'] as const).map((schema) => ({
  schema,
  folders: [platformMigrations.eventStore],
}));

/**
 * Stands in for the services that own what admin shows: a real log and a real relay each, and handlers that append what
 * the real ones would, without their rules. Services may not import each other; the whole chain is tested end to end.
 */
export class TestOwners {
  readonly #platform: Platform;
  readonly #stores: Readonly<Record<Owner, PostgresEventStore>>;
  readonly #relays: readonly OutboxRelay[];
  readonly roles: RoleDefinition[] = [];
  readonly trail: AuditRow[] = [];
  /** What audit was asked, newest last. */
  readonly searches: unknown[] = [];
  #bundle = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
    const open = (owner: Owner): PostgresEventStore =>
      new PostgresEventStore(platform.database(owner));
    this.#stores = {
      identity: open('identity'),
      policy: open('policy'),
      registry: open('registry'),
    };
    const { bus, log } = platform;
    this.#relays = Object.entries(this.#stores).map(
      ([owner, store]) =>
        new OutboxRelay({ database: platform.database(owner as Owner), store, bus, log }),
    );
  }

  /** Appends events to a stream of an owner, whatever its version, as a decider would have decided. */
  async append(
    stream: string,
    events: readonly DomainEvent[],
    context: DecisionContext,
  ): Promise<{ stream: string; version: number; position: number }> {
    const owner = events[0]?.type.split('.')[0] as Owner;
    const store = this.#stores[owner];
    const { length } = await store.readStream(stream);
    const stamp = {
      actor: context.actor,
      occurredAt: context.now.toISOString(),
      correlationId: context.correlationId,
    };
    const appended = await store.append(
      stream,
      length,
      events.map((event) => ({ ...event, ...stamp })),
    );
    return { stream, ...appended };
  }

  /** Stops carrying an owner's events to the bus: from now on read models fall behind. */
  async holdBack(): Promise<void> {
    for (const relay of this.#relays) await relay.stop();
  }

  service(): ServiceModule {
    const controllers = [
      internalController(this.#platform, 'identity', identityCommands, this.#identity()),
      internalController(this.#platform, 'policy', policyCommands, this.#policy()),
      internalController(this.#platform, 'registry', registryCommands, this.#registry()),
      internalController(this.#platform, 'audit', auditQueries, this.#audit()),
    ];
    class TestOwnersModule {}
    return {
      name: 'test owners',
      module: { module: TestOwnersModule, controllers },
      workers: [...this.#relays],
    };
  }

  #identity(): CommandHandlers<typeof identityCommands> {
    const one = async <Result>(
      stream: string,
      event: DomainEvent,
      context: DecisionContext,
      result: Result,
    ) => receipt(await this.append(stream, [event], context), result);
    return {
      'provision-user': (data, context) => {
        const userId = randomUUID();
        const event = { type: 'identity.user-provisioned.v1' as const, data: { userId, ...data } };
        return one(`user-${userId}`, event, context, { userId });
      },
      'update-user': (data, context) =>
        one(`user-${data.userId}`, { type: 'identity.user-updated.v1', data }, context, null),
      'deactivate-user': (data, context) =>
        one(`user-${data.userId}`, { type: 'identity.user-deactivated.v1', data }, context, null),
      'reactivate-user': (data, context) =>
        one(`user-${data.userId}`, { type: 'identity.user-reactivated.v1', data }, context, null),
      'create-group': ({ displayName }, context) => {
        const groupId = randomUUID();
        const data = { groupId, displayName };
        const event = { type: 'identity.group-created.v1' as const, data };
        return one(`group-${groupId}`, event, context, { groupId });
      },
      'rename-group': (data, context) =>
        one(`group-${data.groupId}`, { type: 'identity.group-renamed.v1', data }, context, null),
      'delete-group': (data, context) =>
        one(`group-${data.groupId}`, { type: 'identity.group-deleted.v1', data }, context, null),
      'add-group-member': (data, context) => {
        const event = { type: 'identity.group-member-added.v1' as const, data };
        return one(`group-${data.groupId}`, event, context, null);
      },
      'remove-group-member': (data, context) => {
        const event = { type: 'identity.group-member-removed.v1' as const, data };
        return one(`group-${data.groupId}`, event, context, null);
      },
      'assign-role': (data, context) => {
        if (data.role === 'no-such-role') throw new Refusal('role-unknown');
        const stream = `roles-${data.assignee.kind}-${data.assignee.id}`;
        return one(stream, { type: 'identity.role-assigned.v1', data }, context, null);
      },
      'revoke-role': (data, context) => {
        const stream = `roles-${data.assignee.kind}-${data.assignee.id}`;
        return one(stream, { type: 'identity.role-revoked.v1', data }, context, null);
      },
      'register-agent': (data, context) => {
        const agentId = randomUUID();
        const event = { type: 'identity.agent-registered.v1' as const, data: { agentId, ...data } };
        return one(`agent-${agentId}`, event, context, { agentId });
      },
      'rename-agent': (data, context) =>
        one(`agent-${data.agentId}`, { type: 'identity.agent-renamed.v1', data }, context, null),
      'disable-agent': (data, context) =>
        one(`agent-${data.agentId}`, { type: 'identity.agent-disabled.v1', data }, context, null),
      'enable-agent': (data, context) =>
        one(`agent-${data.agentId}`, { type: 'identity.agent-enabled.v1', data }, context, null),
      'issue-key': async ({ principal, label, expiresAt }, context) => {
        const keyId = randomUUID();
        await Promise.resolve();
        const data = {
          keyId,
          principal,
          label,
          expiresAt,
          secretSha256: 'a-digest',
          rotatedFrom: null,
        };
        const event = { type: 'identity.key-issued.v1' as const, data };
        return one(`key-${keyId}`, event, context, { keyId, token: `gh_${keyId}`, expiresAt });
      },
      'rotate-key': async ({ keyId: old, overlapSeconds }, context) => {
        const keyId = randomUUID();
        const principal = { kind: 'agent' as const, id: 'robot' };
        const data = {
          keyId,
          principal,
          label: 'successor',
          expiresAt: null,
          secretSha256: 'a-digest',
          rotatedFrom: old,
        };
        await this.append(`key-${keyId}`, [{ type: 'identity.key-issued.v1', data }], context);
        const overlapUntil = new Date(context.now.getTime() + overlapSeconds * 1000).toISOString();
        const retiring = { keyId: old, replacedBy: keyId, overlapUntil };
        const event = { type: 'identity.key-retiring.v1' as const, data: retiring };
        return one(`key-${old}`, event, context, { keyId, token: `gh_${keyId}`, expiresAt: null });
      },
      'revoke-key': (data, context) =>
        one(`key-${data.keyId}`, { type: 'identity.key-revoked.v1', data }, context, null),
    };
  }

  #policy(): CommandHandlers<typeof policyCommands> {
    const publish = async (
      first: EventOf<'policy.role-defined.v1' | 'policy.role-deleted.v1'>,
      context: DecisionContext,
    ) => {
      this.#bundle += 1;
      const data = { number: this.#bundle, roles: [...this.roles] };
      const bundle = { type: 'policy.bundle-published.v1' as const, data };
      return receipt(await this.append('policy', [first, bundle], context), {
        bundleNumber: this.#bundle,
      });
    };
    const drop = (name: string): void => {
      const at = this.roles.findIndex((role) => role.name === name);
      if (at >= 0) this.roles.splice(at, 1);
    };
    return {
      'define-role': ({ role }, context) => {
        drop(role.name);
        this.roles.push(role);
        return publish({ type: 'policy.role-defined.v1', data: { role } }, context);
      },
      'delete-role': ({ name }, context) => {
        if (name === 'admin') throw new Refusal('role-built-in');
        drop(name);
        return publish({ type: 'policy.role-deleted.v1', data: { name } }, context);
      },
    };
  }

  #registry(): CommandHandlers<typeof registryCommands> {
    const one = async <Result>(
      slug: string,
      event: DomainEvent,
      context: DecisionContext,
      result: Result,
    ) => receipt(await this.append(`server-${slug}`, [event], context), result);
    return {
      'submit-server': (data, context) =>
        one(data.slug, { type: 'registry.server-submitted.v1', data }, context, null),
      'fetch-catalogue': ({ slug }, context) => {
        if (slug === 'away') throw new Refusal('upstream-unavailable');
        if (slug === 'late') throw new Refusal('upstream-timeout');
        const event = { type: 'registry.catalogue-fetched.v1' as const, data: catalogueOf(slug) };
        return one(slug, event, context, { tools: event.data.tools.length });
      },
      'classify-tool': (data, context) =>
        one(data.slug, { type: 'registry.tool-classified.v1', data }, context, null),
      'approve-server': ({ slug }, context) => {
        const transport = { kind: 'streamable-http' as const, url: 'http://127.0.0.1:9/mcp' };
        const tools = catalogueOf(slug).tools.map(({ definition, digests, proposedClass }) => ({
          definition,
          digests,
          class: proposedClass,
        }));
        const data = { slug, name: slug, transport, tools };
        return one(slug, { type: 'registry.server-approved.v1', data }, context, null);
      },
      'reject-server': (data, context) =>
        one(data.slug, { type: 'registry.server-rejected.v1', data }, context, null),
      'suspend-server': (data, context) => {
        if (data.slug === 'nowhere')
          throw new Refusal('server-not-found', { internal: 'not for callers' });
        if (data.slug === 'broken') throw new TypeError('the secret inside of a bug');
        const event = { type: 'registry.server-suspended.v1' as const, data };
        return one(data.slug, event, context, null);
      },
      'resume-server': (data, context) =>
        one(data.slug, { type: 'registry.server-resumed.v1', data }, context, null),
    };
  }

  #audit(): QueryHandlers<typeof auditQueries> {
    return {
      search: async (query) => {
        this.searches.push(query);
        const start = query.after === null ? 0 : Number(query.after);
        const rows = this.trail.slice(start, start + query.first);
        await Promise.resolve();
        return {
          rows,
          endCursor: rows.length === 0 ? null : String(start + rows.length),
          hasNextPage: start + rows.length < this.trail.length,
        };
      },
      reveal: async ({ id }) => {
        await Promise.resolve();
        if (!this.trail.some(({ record }) => record.id === id))
          throw new Refusal('audit-record-unknown');
        return { arguments: { path: '/tmp/a' } };
      },
    };
  }
}

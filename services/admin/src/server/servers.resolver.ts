import { transportSchema, type registryCommands, type Transport } from '@gatehouse/event-catalog';
import { checkShape } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { REGISTRY, existing, type CommandSender } from '../owner/command-sender.ts';
import type { Page } from '../paging/page.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type {
  ApproveServerInput,
  FetchCatalogueInput,
  QueryServersArgs,
  RejectServerInput,
  ResumeServerInput,
  SubmitServerInput,
  SuspendServerInput,
  TransportInput,
} from '../schema/schema.generated.ts';
import { findServer, findServers, type ServerRow } from './find-servers.query.ts';

interface ServerAnswer {
  readonly server: ServerRow;
}

/** Servers: their list, and their way through intake. */
@Resolver()
export class ServersResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(REGISTRY) private readonly registry: CommandSender<typeof registryCommands>,
  ) {}

  @Query('servers')
  servers(@Args() args: QueryServersArgs): Promise<Page<ServerRow>> {
    return findServers(this.model, args);
  }

  @Query('server')
  server(@Args('slug') slug: string): Promise<ServerRow | null> {
    return findServer(this.model, slug);
  }

  @Mutation('submitServer')
  async submitServer(
    @Args('input') { transport, ...input }: SubmitServerInput,
    @Context() context: RequestContext,
  ): Promise<ServerAnswer> {
    const command = { ...input, transport: toTransport(transport) };
    await this.registry.send('submit-server', command, context);
    return this.#answer(input.slug);
  }

  @Mutation('fetchCatalogue')
  async fetchCatalogue(
    @Args('input') input: FetchCatalogueInput,
    @Context() context: RequestContext,
  ): Promise<ServerAnswer & { readonly toolCount: number }> {
    const { tools } = await this.registry.send('fetch-catalogue', input, context);
    return { ...(await this.#answer(input.slug)), toolCount: tools };
  }

  @Mutation('approveServer')
  async approveServer(
    @Args('input') input: ApproveServerInput,
    @Context() context: RequestContext,
  ): Promise<ServerAnswer> {
    await this.registry.send('approve-server', input, context);
    return this.#answer(input.slug);
  }

  @Mutation('rejectServer')
  async rejectServer(
    @Args('input') input: RejectServerInput,
    @Context() context: RequestContext,
  ): Promise<ServerAnswer> {
    await this.registry.send('reject-server', input, context);
    return this.#answer(input.slug);
  }

  @Mutation('suspendServer')
  async suspendServer(
    @Args('input') input: SuspendServerInput,
    @Context() context: RequestContext,
  ): Promise<ServerAnswer> {
    await this.registry.send('suspend-server', input, context);
    return this.#answer(input.slug);
  }

  @Mutation('resumeServer')
  async resumeServer(
    @Args('input') input: ResumeServerInput,
    @Context() context: RequestContext,
  ): Promise<ServerAnswer> {
    await this.registry.send('resume-server', input, context);
    return this.#answer(input.slug);
  }

  async #answer(slug: string): Promise<ServerAnswer> {
    return { server: existing(await findServer(this.model, slug), 'server-not-found') };
  }
}

function toTransport({ streamableHttp, stdio }: TransportInput): Transport {
  if (streamableHttp !== undefined && streamableHttp !== null)
    return checkTransport({ kind: 'streamable-http', url: streamableHttp.url }, 'streamableHttp');
  if (stdio === undefined || stdio === null) throw new Refusal('request-invalid');
  const { command, args, env } = stdio;
  const names = new Set(env.map(({ name }) => name));
  if (names.size < env.length)
    throw new Refusal('request-invalid', { detail: 'An environment variable is given twice.' });
  const values = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  return checkTransport({ kind: 'stdio', command, args: [...args], env: values }, 'stdio');
}

// The registry checks it too, and would name its fields as they are named over there.
function checkTransport(transport: Transport, kind: keyof TransportInput): Transport {
  return checkShape(transportSchema, transport, (path) => ['transport', kind, ...path]);
}

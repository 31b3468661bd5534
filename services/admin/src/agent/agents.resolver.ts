import type { identityCommands } from '@gatehouse/event-catalog';
import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { IDENTITY, existing, type CommandSender } from '../owner/command-sender.ts';
import type { Page } from '../paging/page.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type {
  DisableAgentInput,
  EnableAgentInput,
  QueryAgentsArgs,
  RegisterAgentInput,
  RenameAgentInput,
} from '../schema/schema.generated.ts';
import { findAgent, findAgents, type AgentRow } from './find-agents.query.ts';

interface AgentAnswer {
  readonly agent: AgentRow;
}

/** The robots with identities of their own. */
@Resolver()
export class AgentsResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(IDENTITY) private readonly identity: CommandSender<typeof identityCommands>,
  ) {}

  @Query('agents')
  agents(@Args() args: QueryAgentsArgs): Promise<Page<AgentRow>> {
    return findAgents(this.model, args);
  }

  @Query('agent')
  agent(@Args('id') id: string): Promise<AgentRow | null> {
    return findAgent(this.model, id);
  }

  @Mutation('registerAgent')
  async registerAgent(
    @Args('input') { ownerUserId = null, ...input }: RegisterAgentInput,
    @Context() context: RequestContext,
  ): Promise<AgentAnswer> {
    const command = { ...input, ownerUserId };
    const { agentId } = await this.identity.send('register-agent', command, context);
    return this.#answer(agentId);
  }

  @Mutation('renameAgent')
  async renameAgent(
    @Args('input') input: RenameAgentInput,
    @Context() context: RequestContext,
  ): Promise<AgentAnswer> {
    await this.identity.send('rename-agent', input, context);
    return this.#answer(input.agentId);
  }

  @Mutation('disableAgent')
  async disableAgent(
    @Args('input') input: DisableAgentInput,
    @Context() context: RequestContext,
  ): Promise<AgentAnswer> {
    await this.identity.send('disable-agent', input, context);
    return this.#answer(input.agentId);
  }

  @Mutation('enableAgent')
  async enableAgent(
    @Args('input') input: EnableAgentInput,
    @Context() context: RequestContext,
  ): Promise<AgentAnswer> {
    await this.identity.send('enable-agent', input, context);
    return this.#answer(input.agentId);
  }

  async #answer(agentId: string): Promise<AgentAnswer> {
    return { agent: existing(await findAgent(this.model, agentId), 'agent-unknown') };
  }
}

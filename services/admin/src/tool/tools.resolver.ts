import type { registryCommands } from '@gatehouse/event-catalog';
import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { REGISTRY, existing, type CommandSender } from '../owner/command-sender.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type { ClassifyToolInput, Tool } from '../schema/schema.generated.ts';
import { findServer, type ServerRow } from '../server/find-servers.query.ts';
import { findTool } from './find-tools.query.ts';

/** What people decide of single tools. */
@Resolver()
export class ToolsResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(REGISTRY) private readonly registry: CommandSender<typeof registryCommands>,
  ) {}

  @Mutation('classifyTool')
  async classifyTool(
    @Args('input') input: ClassifyToolInput,
    @Context() context: RequestContext,
  ): Promise<{ readonly tool: Tool; readonly server: ServerRow }> {
    await this.registry.send('classify-tool', input, context);
    const { slug, tool } = input;
    return {
      tool: existing(await findTool(this.model, slug, tool), 'tool-not-in-catalogue'),
      server: existing(await findServer(this.model, slug), 'server-not-found'),
    };
  }
}

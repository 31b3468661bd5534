import type { identityCommands } from '@gatehouse/event-catalog';
import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { IDENTITY, existing, type CommandSender } from '../owner/command-sender.ts';
import type { Page } from '../paging/page.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type {
  AddGroupMemberInput,
  CreateGroupInput,
  DeleteGroupInput,
  DeleteGroupPayload,
  QueryGroupsArgs,
  RemoveGroupMemberInput,
  RenameGroupInput,
} from '../schema/schema.generated.ts';
import { findGroup, findGroups, type GroupRow } from './find-groups.query.ts';

interface GroupAnswer {
  readonly group: GroupRow;
}

/** Groups of people and who is in them. */
@Resolver()
export class GroupsResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(IDENTITY) private readonly identity: CommandSender<typeof identityCommands>,
  ) {}

  @Query('groups')
  groups(@Args() args: QueryGroupsArgs): Promise<Page<GroupRow>> {
    return findGroups(this.model, args);
  }

  @Query('group')
  group(@Args('id') id: string): Promise<GroupRow | null> {
    return findGroup(this.model, id);
  }

  @Mutation('createGroup')
  async createGroup(
    @Args('input') input: CreateGroupInput,
    @Context() context: RequestContext,
  ): Promise<GroupAnswer> {
    const { groupId } = await this.identity.send('create-group', input, context);
    return this.#answer(groupId);
  }

  @Mutation('renameGroup')
  async renameGroup(
    @Args('input') input: RenameGroupInput,
    @Context() context: RequestContext,
  ): Promise<GroupAnswer> {
    await this.identity.send('rename-group', input, context);
    return this.#answer(input.groupId);
  }

  @Mutation('deleteGroup')
  async deleteGroup(
    @Args('input') input: DeleteGroupInput,
    @Context() context: RequestContext,
  ): Promise<DeleteGroupPayload> {
    await this.identity.send('delete-group', input, context);
    return { groupId: input.groupId };
  }

  @Mutation('addGroupMember')
  async addGroupMember(
    @Args('input') input: AddGroupMemberInput,
    @Context() context: RequestContext,
  ): Promise<GroupAnswer> {
    await this.identity.send('add-group-member', input, context);
    return this.#answer(input.groupId);
  }

  @Mutation('removeGroupMember')
  async removeGroupMember(
    @Args('input') input: RemoveGroupMemberInput,
    @Context() context: RequestContext,
  ): Promise<GroupAnswer> {
    await this.identity.send('remove-group-member', input, context);
    return this.#answer(input.groupId);
  }

  async #answer(groupId: string): Promise<GroupAnswer> {
    return { group: existing(await findGroup(this.model, groupId), 'group-unknown') };
  }
}

import type { identityCommands } from '@gatehouse/event-catalog';
import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { IDENTITY, existing, type CommandSender } from '../owner/command-sender.ts';
import type { Page } from '../paging/page.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type {
  DeactivateUserInput,
  ProvisionUserInput,
  QueryUsersArgs,
  ReactivateUserInput,
  UpdateUserInput,
} from '../schema/schema.generated.ts';
import { findUser, findUsers, type UserRow } from './find-users.query.ts';

interface UserAnswer {
  readonly user: UserRow;
}

/** The people in the directory. */
@Resolver()
export class UsersResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(IDENTITY) private readonly identity: CommandSender<typeof identityCommands>,
  ) {}

  @Query('users')
  users(@Args() args: QueryUsersArgs): Promise<Page<UserRow>> {
    return findUsers(this.model, args);
  }

  @Query('user')
  user(@Args('id') id: string): Promise<UserRow | null> {
    return findUser(this.model, id);
  }

  @Mutation('provisionUser')
  async provisionUser(
    @Args('input') { email = null, ...names }: ProvisionUserInput,
    @Context() context: RequestContext,
  ): Promise<UserAnswer> {
    const command = { ...names, email };
    const { userId } = await this.identity.send('provision-user', command, context);
    return this.#answer(userId);
  }

  @Mutation('updateUser')
  async updateUser(
    @Args('input') { email = null, ...names }: UpdateUserInput,
    @Context() context: RequestContext,
  ): Promise<UserAnswer> {
    const command = { ...names, email };
    await this.identity.send('update-user', command, context);
    return this.#answer(names.userId);
  }

  @Mutation('deactivateUser')
  async deactivateUser(
    @Args('input') input: DeactivateUserInput,
    @Context() context: RequestContext,
  ): Promise<UserAnswer> {
    await this.identity.send('deactivate-user', input, context);
    return this.#answer(input.userId);
  }

  @Mutation('reactivateUser')
  async reactivateUser(
    @Args('input') input: ReactivateUserInput,
    @Context() context: RequestContext,
  ): Promise<UserAnswer> {
    await this.identity.send('reactivate-user', input, context);
    return this.#answer(input.userId);
  }

  async #answer(userId: string): Promise<UserAnswer> {
    return { user: existing(await findUser(this.model, userId), 'user-unknown') };
  }
}

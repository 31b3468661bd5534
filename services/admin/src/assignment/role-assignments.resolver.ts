import type { identityCommands } from '@gatehouse/event-catalog';
import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { IDENTITY, existing, type CommandSender } from '../owner/command-sender.ts';
import type { Page } from '../paging/page.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type {
  AssignRoleInput,
  AssignRolePayload,
  QueryRoleAssignmentsArgs,
  RevokeRoleInput,
  RevokeRolePayload,
  RoleAssignment,
} from '../schema/schema.generated.ts';
import {
  findAssigneeName,
  findRoleAssignment,
  findRoleAssignments,
} from './find-role-assignments.query.ts';

/** Who holds which role. */
@Resolver()
export class RoleAssignmentsResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(IDENTITY) private readonly identity: CommandSender<typeof identityCommands>,
  ) {}

  @Query('roleAssignments')
  roleAssignments(@Args() args: QueryRoleAssignmentsArgs): Promise<Page<RoleAssignment>> {
    return findRoleAssignments(this.model, args);
  }

  @Mutation('assignRole')
  async assignRole(
    @Args('input') { assignee, role }: AssignRoleInput,
    @Context() context: RequestContext,
  ): Promise<AssignRolePayload> {
    const command = { assignee: { ...assignee }, role };
    await this.identity.send('assign-role', command, context);
    const assignment = await findRoleAssignment(this.model, role, assignee);
    return { assignment: existing(assignment, 'role-unknown') };
  }

  @Mutation('revokeRole')
  async revokeRole(
    @Args('input') { assignee, role }: RevokeRoleInput,
    @Context() context: RequestContext,
  ): Promise<RevokeRolePayload> {
    const command = { assignee: { ...assignee }, role };
    await this.identity.send('revoke-role', command, context);
    const name = await findAssigneeName(this.model, assignee);
    return { role, assignee: { ...assignee, name } };
  }
}

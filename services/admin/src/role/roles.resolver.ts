import {
  roleDefinitionSchema,
  type policyCommands,
  type RoleDefinition,
  type ToolGrant,
} from '@gatehouse/event-catalog';
import { checkShape } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { POLICY, existing, type CommandSender } from '../owner/command-sender.ts';
import type { Page } from '../paging/page.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type {
  DefineRoleInput,
  DefineRolePayload,
  DeleteRoleInput,
  DeleteRolePayload,
  QueryRolesArgs,
  Role,
  RoleConnectorInput,
  ToolRuleInput,
} from '../schema/schema.generated.ts';
import { findRole, findRoles } from './find-roles.query.ts';

/** Roles: what they permit. Who holds them is a matter of assignments. */
@Resolver()
export class RolesResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(POLICY) private readonly policy: CommandSender<typeof policyCommands>,
  ) {}

  @Query('roles')
  roles(@Args() args: QueryRolesArgs): Promise<Page<Role>> {
    return findRoles(this.model, args);
  }

  @Query('role')
  role(@Args('name') name: string): Promise<Role | null> {
    return findRole(this.model, name);
  }

  @Mutation('defineRole')
  async defineRole(
    @Args('input') input: DefineRoleInput,
    @Context() context: RequestContext,
  ): Promise<DefineRolePayload> {
    const connectors = input.connectors.map(toConnector);
    // Policy checks it too, and would name its fields as they are named over there.
    const role = checkShape(roleDefinitionSchema, { ...input, connectors });
    const { bundleNumber } = await this.policy.send('define-role', { role }, context);
    return { role: existing(await findRole(this.model, input.name), 'role-unknown'), bundleNumber };
  }

  @Mutation('deleteRole')
  async deleteRole(
    @Args('input') { name }: DeleteRoleInput,
    @Context() context: RequestContext,
  ): Promise<DeleteRolePayload> {
    const { bundleNumber } = await this.policy.send('delete-role', { name }, context);
    return { name, bundleNumber };
  }
}

function toConnector({ slug, tools }: RoleConnectorInput): RoleDefinition['connectors'][number] {
  const names = new Set(tools.map(({ tool }) => tool));
  if (names.size < tools.length)
    throw new Refusal('request-invalid', { detail: `A tool of \`${slug}\` is given twice.` });
  return { slug, tools: Object.fromEntries(tools.map((rule) => [rule.tool, toGrant(rule)])) };
}

function toGrant({ tool, mode, deny }: ToolRuleInput): ToolGrant {
  if (!deny) return mode;
  if (mode !== 'off')
    throw new Refusal('request-invalid', { detail: `Only \`OFF\` can deny; see \`${tool}\`.` });
  return { mode, deny };
}

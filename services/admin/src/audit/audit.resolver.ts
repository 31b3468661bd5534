import { auditQueries, type AuditFilter as TrailFilter } from '@gatehouse/event-catalog';
import type { OwnerClient } from '@gatehouse/platform';
import { Inject } from '@nestjs/common';
import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { sentBy } from '../owner/command-sender.ts';
import { checkPageSize, type Page } from '../paging/page.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type {
  AuditFilter,
  AuditRecord,
  QueryAuditRecordsArgs,
  RevealedArguments,
} from '../schema/schema.generated.ts';
import { shownRecord } from './shown-record.ts';

export const OWNERS = Symbol('the services that own what is asked for');

/** The trail, which audit keeps and answers from. */
@Resolver()
export class AuditResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(OWNERS) private readonly owners: Pick<OwnerClient, 'query'>,
  ) {}

  @Query('auditRecords')
  async auditRecords(
    @Args() { filter, first, after = null }: QueryAuditRecordsArgs,
    @Context() context: RequestContext,
  ): Promise<Page<AuditRecord>> {
    checkPageSize(first, this.model.maxPageSize);
    const query = { filter: present(filter ?? {}), first, after };
    const by = sentBy(context);
    const page = await this.owners.query('audit', auditQueries, 'search', query, by);
    const { endCursor, hasNextPage } = page;
    return { nodes: page.rows.map(shownRecord), pageInfo: { endCursor, hasNextPage } };
  }

  @Query('revealArguments')
  async revealArguments(
    @Args('id') id: string,
    @Context() context: RequestContext,
  ): Promise<RevealedArguments> {
    const by = sentBy(context);
    const revealed = await this.owners.query('audit', auditQueries, 'reveal', { id }, by);
    return { id, arguments: revealed.arguments };
  }
}

// GraphQL knows null and absent; the trail only knows absent.
function present(filter: AuditFilter): TrailFilter {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== null && value !== undefined),
  );
}

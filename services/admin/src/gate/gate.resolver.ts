import { Inject } from '@nestjs/common';
import { Context, Query, Resolver } from '@nestjs/graphql';
import { callerOf, type RequestContext } from '../caller/caller.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type { Gate, Viewer } from '../schema/schema.generated.ts';
import { readGate } from './read-gate.query.ts';

/** The gate as a whole, and who is asking. */
@Resolver()
export class GateResolver {
  constructor(@Inject(READ_MODEL) private readonly model: ReadModel) {}

  @Query('gate')
  gate(): Promise<Gate> {
    return readGate(this.model);
  }

  @Query('viewer')
  viewer(@Context() context: RequestContext): Viewer {
    const { actor, roles, management } = callerOf(context);
    return { ...actor, roles, management };
  }
}

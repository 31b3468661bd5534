import {
  commandEnvelopeSchema,
  type ContractTable,
  type ServiceName,
} from '@gatehouse/event-catalog';
import type { DecisionContext } from '@gatehouse/event-sourcing';
import { Refusal } from '@gatehouse/problem-catalog';
import { Body, Controller, Headers, HttpCode, Param, Post, type Type } from '@nestjs/common';
import type { z } from 'zod';
import type { Platform } from '../platform.ts';
import { currentSpan } from '../tracing/span.ts';
import { checkShape } from './check-shape.ts';
import { measured } from './command-metrics.ts';
import type { CommandHandlers, QueryHandlers } from './handlers.ts';
import { carriesServiceToken } from './service-token.ts';

type Handler = (message: unknown, context: DecisionContext) => Promise<unknown>;

/** The controller of `POST /internal/<service>/<name>`: the service token, the contract's shape, then the handler. Commands answer a receipt, queries their result. */
export function internalController<T extends ContractTable>(
  platform: Platform,
  service: ServiceName,
  contracts: T,
  handlers: CommandHandlers<T> | QueryHandlers<T>,
): Type {
  @Controller(`internal/${service}`)
  class InternalController {
    @Post(':name')
    @HttpCode(200)
    async handle(
      @Param('name') name: string,
      @Headers('authorization') authorization: string | undefined,
      @Body() body: unknown,
    ): Promise<unknown> {
      // The host hides all of `/internal` from strangers already; a command does not rely on who hosts it.
      const known = carriesServiceToken(platform.serviceToken, authorization);
      if (!known || !Object.hasOwn(contracts, name)) throw new Refusal('not-found');
      currentSpan().updateName(`${service} ${name}`);
      return measured(service, name, async () => {
        const envelope = parse(commandEnvelopeSchema, body);
        const message = parse((contracts[name] as T[string]).request, envelope.command);
        const context = {
          actor: envelope.actor,
          correlationId: envelope.correlationId,
          now: platform.clock.now(),
        };
        return (handlers[name] as Handler)(message, context);
      });
    }
  }
  return InternalController;
}

function parse<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const parsed = checkShape(schema, value);
  if (isStorable(parsed)) return parsed;
  throw new Refusal('request-invalid', {
    detail: 'Text must hold neither a NUL character nor half a character (an unpaired surrogate).',
  });
}

// PostgreSQL's text holds neither a NUL nor half a surrogate pair: refused here, they are a caller's mistake and not our failure.
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (value === null || typeof value !== 'object') return true;
  return Object.entries(value).every(([key, inner]) => isStorable(key) && isStorable(inner));
}

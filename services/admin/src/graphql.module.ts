import { readFileSync } from 'node:fs';
import { currentSpan, failSpan, type Logger } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import type { DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { AdminConfig } from './admin.config.ts';
import type { AccessState } from './caller/access-state.ts';
import { RequestAdmission } from './caller/admit-request.ts';
import type { RequestContext } from './caller/caller.ts';
import { answerFailure, refuseOperation } from './error/answer-failure.ts';
import { about, answerErrors } from './error/graphql-errors.ts';
import { checkBody } from './limits/check-body.ts';
import { checkOperation } from './limits/check-operation.ts';
import { countOperation, noteOperation } from './limits/operation-metrics.ts';
import { nameOperation } from './limits/operation-trace.ts';
import { loadersOf } from './loaders.ts';
import type { ReadModel } from './read-model.ts';
import { enumValues } from './schema/enum-values.ts';
import { dateTime } from './schema/date-time.ts';
import type { ShownTransport } from './server/shown-transport.ts';

declare module 'mercurius' {
  interface MercuriusContext extends RequestContext {}
}

// The one committed text, which a test holds equal to the `.graphql` files.
const typeDefs = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');

const validateOptions: { maxErrors: number; hideSuggestions: boolean } = {
  maxErrors: 20,
  hideSuggestions: true,
};

const typeResolvers = {
  ...enumValues,
  DateTime: dateTime,
  Transport: {
    __resolveType: ({ kind }: ShownTransport) =>
      kind === 'stdio' ? 'StdioTransport' : 'StreamableHttpTransport',
  },
};

/**
 * GraphQL at `/graphql`. A request passes, in this order: admission (method, key, media type), the body limit, the
 * shape of the body, parsing and validation, then rights and limits of the operation, and only then resolvers.
 */
export function graphqlModule(deps: {
  access: Pick<AccessState, 'authenticate'>;
  model: ReadModel;
  config: AdminConfig;
  log: Logger;
}): DynamicModule {
  const { config, log } = deps;
  const admission = new RequestAdmission(deps.access);
  return GraphQLModule.forRoot<MercuriusDriverConfig>({
    driver: MercuriusDriver,
    path: '/graphql',
    typeDefs,
    // Not as `resolvers`, which Mercurius would define a second time, in a form of its own.
    transformResolvers: (found) => [found, typeResolvers].flat(),
    loaders: loadersOf(deps.model),
    graphiql: false,
    ide: false,
    subscription: false,
    allowBatchedQueries: false,
    graphql: {
      // Findings name no field that was not asked for: who may not introspect must not learn by guessing.
      validateOptions,
    },
    context: (request: FastifyRequest) => admission.contextOf(request),
    additionalRouteOptions: {
      bodyLimit: config.maxBodyBytes,
      preParsing: async (request) => admission.admit(request),
      preValidation: async (request) => checkBody(request.body, config.maxTokens),
    },
    errorHandler: (failure: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      answerFailure(failure, request, reply, log),
    errorFormatter: (execution, { reply }) => {
      const { statusCode, errors } = answerErrors(execution, about(reply.request), log);
      const code = errors[0]?.extensions.code ?? 'internal';
      countOperation(reply, code);
      failSpan(currentSpan(), code);
      return { statusCode, response: { data: execution.data ?? null, errors: [...errors] } };
    },
    hooks: {
      preExecution: (schema, document, context, variables) => {
        noteOperation(context.reply, document);
        nameOperation(document);
        return refusing(() => checkOperation(schema, document, variables ?? {}, context, config));
      },
      // With errors it is counted by their code, above.
      onResolution: async ({ errors }, { reply }) => {
        if (errors === undefined || errors.length === 0) countOperation(reply, '');
      },
    },
  });
}

async function refusing(check: () => void): Promise<void> {
  try {
    check();
  } catch (error) {
    throw error instanceof Refusal ? refuseOperation(error) : error;
  }
}

import type { Management } from '@gatehouse/policy-engine';
import { Refusal } from '@gatehouse/problem-catalog';
import { OperationTypeNode, type DocumentNode, type GraphQLSchema } from 'graphql';
import { callerOf, type Caller, type RequestContext } from '../caller/caller.ts';
import { measureDocument } from './measure-operation.ts';
import { rootFieldsOf, type RootField } from './root-fields.ts';

/** What one request may ask for. */
export interface OperationLimits {
  readonly maxDepth: number;
  readonly maxCost: number;
  readonly maxRootFields: number;
}

const ranks: Readonly<Record<Management, number>> = { none: 0, observe: 1, administer: 2 };

// What differs from "queries observe, mutations administer".
const needs: Readonly<Record<string, Management>> = {
  __typename: 'none',
  viewer: 'none',
  revealArguments: 'administer',
  __schema: 'administer',
  __type: 'administer',
};

/** Decides before anything is executed: whether the caller's rights suffice for all of the document, and whether it is not too much. */
export function checkOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
  context: RequestContext,
  limits: OperationLimits,
): void {
  const fields = rootFieldsOf(document);
  requireRights(callerOf(context), fields);
  if (fields.length > limits.maxRootFields)
    throw tooComplex(`${fields.length} fields at the root; at most ${limits.maxRootFields}`);
  const { depth, cost } = measureDocument(schema, document, variables);
  if (depth > limits.maxDepth) throw tooComplex(`${depth} levels deep; at most ${limits.maxDepth}`);
  if (!(cost <= limits.maxCost)) throw tooComplex(`a cost of ${cost}; at most ${limits.maxCost}`);
}

function requireRights(caller: Caller, fields: readonly RootField[]): void {
  const short = fields.find((field) => ranks[caller.management] < ranks[needOf(field)]);
  if (short === undefined) return;
  throw new Refusal('management-denied', {
    detail: `\`${short.name}\` needs a role with the management right \`${needOf(short)}\`; yours give \`${caller.management}\`.`,
  });
}

function needOf({ operation, name }: RootField): Management {
  if (operation === OperationTypeNode.QUERY && Object.hasOwn(needs, name))
    return needs[name] ?? 'administer';
  if (name === '__typename') return 'none';
  return operation === OperationTypeNode.QUERY ? 'observe' : 'administer';
}

function tooComplex(what: string): Refusal {
  return new Refusal('query-too-complex', { detail: `The query asks for too much: ${what}.` });
}

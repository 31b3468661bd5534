import type { z } from 'zod';

/** The services that own something. */
export const SERVICES = ['identity', 'policy', 'registry', 'audit', 'gateway', 'admin'] as const;

/** The name of a service that owns something. */
export type ServiceName = (typeof SERVICES)[number];

/** One event version: its type string, the service that alone may append it, its shape and a sentence of meaning. */
export interface EventDefinition<Type extends string = string, Data extends z.ZodType = z.ZodType> {
  readonly type: Type;
  readonly owner: ServiceName;
  readonly data: Data;
  readonly meaning: string;
}

/** Declares one event version; the owner is read off the type string `<service>.<noun>-<past-participle>.v<N>`. */
export function defineEvent<
  Type extends `${ServiceName}.${string}.v${number}`,
  Data extends z.ZodType,
>(type: Type, meaning: string, data: Data): EventDefinition<Type, Data> {
  return { type, owner: type.slice(0, type.indexOf('.')) as ServiceName, data, meaning };
}

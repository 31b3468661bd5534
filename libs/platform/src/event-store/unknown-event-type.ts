import { findDefinition } from '@gatehouse/event-catalog';

/** An event of a newer release, or of none: nobody may decide or fold as if it were not there. */
export class UnknownEventType extends Error {
  constructor(type: string) {
    super(`${type} is not known to this build: a newer one wrote it`);
    this.name = 'UnknownEventType';
  }
}

/** The definition of a type that was written; throws where this build has none. */
export function definitionOf(type: string): NonNullable<ReturnType<typeof findDefinition>> {
  const definition = findDefinition(type);
  if (definition === undefined) throw new UnknownEventType(type);
  return definition;
}

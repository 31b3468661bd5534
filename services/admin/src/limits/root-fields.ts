import {
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';

/** A field that an operation asks of its root. */
export interface RootField {
  readonly operation: OperationTypeNode;
  readonly name: string;
}

/** Every root field of every operation of a valid document, aliases and fragments followed; what directives may skip included. */
export function rootFieldsOf(document: DocumentNode): readonly RootField[] {
  const fragments = new Map(
    document.definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  return document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .flatMap(({ operation, selectionSet }) =>
      fieldNamesOf(selectionSet, fragments, new Set()).map((name) => ({ operation, name })),
    );
}

function fieldNamesOf(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  seen: Set<string>,
): readonly string[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return fieldNamesOf(selection.selectionSet, fragments, seen);
    const name = selection.name.value;
    const fragment = fragments.get(name);
    // A second spread of the same fragment is executed as one.
    if (fragment === undefined || seen.has(name)) return [];
    seen.add(name);
    return fieldNamesOf(fragment.selectionSet, fragments, seen);
  });
}

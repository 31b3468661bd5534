import {
  getNamedType,
  getNullableType,
  getVariableValues,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';

/** How deep an operation reaches and how much it may cost: roughly the values it can answer, and more for what leaves this service. */
export interface Measure {
  readonly depth: number;
  readonly cost: number;
}

const NOTHING: Measure = { depth: 0, cost: 0 };
// A list that has no `first` is short by nature: the tools of a server, the keys of a person.
const SHORT_LIST = 10;
const COST_OF_ROOT: Readonly<Record<string, number>> = { Query: 10, Mutation: 100 };

type Variables = Readonly<Record<string, unknown>>;

/** Measures every operation of a document that was found valid, and answers the sum: sending two and naming one saves nothing. */
export function measureDocument(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Variables,
): Measure {
  const measures = document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map((operation) => measureOperation(schema, document, operation, variables));
  return {
    depth: Math.max(0, ...measures.map(({ depth }) => depth)),
    cost: measures.reduce((sum, { cost }) => sum + cost, 0),
  };
}

function measureOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): Measure {
  const root = schema.getRootType(operation.operation);
  if (root === undefined || root === null) return NOTHING;
  // Variables that do not fit are refused by whoever executes; what is left counts as not given.
  const { coerced = {} } = getVariableValues(
    schema,
    operation.variableDefinitions ?? [],
    variables,
  );
  return new Measuring(schema, document, coerced).selections(operation.selectionSet, root);
}

class Measuring {
  readonly #schema: GraphQLSchema;
  readonly #variables: Variables;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  // A fragment is measured once, else fragments that spread each other twice would take for ever.
  readonly #measured = new Map<string, Measure>();

  constructor(schema: GraphQLSchema, document: DocumentNode, variables: Variables) {
    this.#schema = schema;
    this.#variables = variables;
    this.#fragments = new Map(
      document.definitions
        .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
        .map((fragment) => [fragment.name.value, fragment]),
    );
  }

  selections(set: SelectionSetNode, parent: GraphQLCompositeType): Measure {
    let [depth, cost] = [0, 0];
    for (const selection of set.selections) {
      const measure =
        selection.kind === Kind.FIELD
          ? this.#field(selection, parent)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? this.#fragment(selection.name.value)
            : this.selections(
                selection.selectionSet,
                this.#typeOf(selection.typeCondition?.name.value) ?? parent,
              );
      depth = Math.max(depth, measure.depth);
      cost += measure.cost;
    }
    return { depth, cost };
  }

  #fragment(name: string): Measure {
    const known = this.#measured.get(name);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    const type = this.#typeOf(fragment?.typeCondition.name.value);
    const measure =
      fragment === undefined || type === undefined
        ? NOTHING
        : this.selections(fragment.selectionSet, type);
    this.#measured.set(name, measure);
    return measure;
  }

  #field(node: FieldNode, parent: GraphQLCompositeType): Measure {
    const field = isObjectType(parent) ? parent.getFields()[node.name.value] : undefined;
    // Introspection: for administrators only, and its depth is limited by a validation rule of graphql itself.
    if (field === undefined) return NOTHING;
    const own = COST_OF_ROOT[parent.name] ?? 1;
    const type = getNamedType(field.type);
    if (node.selectionSet === undefined || !isCompositeType(type)) return { depth: 1, cost: own };
    const below = this.selections(node.selectionSet, type);
    return {
      depth: below.depth + 1,
      cost: own + this.#timesOf(node, field, parent) * below.cost,
    };
  }

  #timesOf(
    node: FieldNode,
    field: GraphQLField<unknown, unknown>,
    parent: GraphQLCompositeType,
  ): number {
    const first = field.args.find((arg) => arg.name === 'first');
    if (first !== undefined) {
      const given = node.arguments?.find((argument) => argument.name.value === 'first')?.value;
      return Math.max(1, this.#numberOf(given, first.defaultValue));
    }
    // The page that these nodes are on has counted them.
    const counted = parent.name.endsWith('Page') || parent.name.endsWith('Connection');
    return !counted && isListType(getNullableType(field.type)) ? SHORT_LIST : 1;
  }

  #numberOf(value: ValueNode | undefined, fallback: unknown): number {
    if (value?.kind === Kind.INT) return Number(value.value);
    if (value?.kind === Kind.VARIABLE) return Number(this.#variables[value.name.value] ?? fallback);
    return Number(fallback);
  }

  #typeOf(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : this.#schema.getType(name);
    return type !== undefined && isCompositeType(type) ? type : undefined;
  }
}

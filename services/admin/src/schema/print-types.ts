import {
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
} from 'graphql';
import { enumValues } from './enum-values.ts';
import { readSchemaSources } from './print-schema.ts';

const HEADER = '// Generated from the .graphql files by `npm run generate`: do not edit.\n';

type Scalars = Readonly<Record<string, string>>;

const inputScalars: Scalars = {
  Boolean: 'boolean',
  DateTime: 'string',
  Float: 'number',
  ID: 'string',
  Int: 'number',
  JSON: 'unknown',
  String: 'string',
};
const outputScalars: Scalars = { ...inputScalars, DateTime: 'Date | string' };

/** The text of `schema.generated.ts`: every type of the schema as resolvers see it, with enum values as events have them. */
export function printSchemaTypes(): string {
  const types = Object.values(readSchemaSources().getTypeMap()).filter(
    (type) => !type.name.startsWith('__'),
  );
  return [HEADER, ...types.flatMap(declarationsOf)].join('\n');
}

function declarationsOf(type: GraphQLNamedType): string[] {
  if (isEnumType(type)) return [`export type ${type.name} = ${enumText(type.name)};\n`];
  if (isUnionType(type)) {
    const members = type.getTypes().map((member) => member.name);
    return [`export type ${type.name} = ${members.join(' | ')};\n`];
  }
  if (isInputObjectType(type)) {
    return [interfaceText(type.name, Object.values(type.getFields()).map(inputText))];
  }
  if (!isObjectType(type)) return [];
  const fields = Object.values(type.getFields());
  const isRoot = type.name === 'Query' || type.name === 'Mutation';
  return [
    ...(isRoot ? [] : [interfaceText(type.name, fields.map(outputText))]),
    ...fields.filter((field) => field.args.length > 0).map((field) => argumentsText(type, field)),
  ];
}

function enumText(name: string): string {
  const values: Readonly<Record<string, string>> | undefined =
    enumValues[name as keyof typeof enumValues];
  if (values === undefined) throw new Error(`no values are given for the enum ${name}`);
  return Object.values(values)
    .map((value) => `'${value}'`)
    .join(' | ');
}

function argumentsText(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): string {
  const name = `${type.name}${field.name.charAt(0).toUpperCase()}${field.name.slice(1)}Args`;
  return interfaceText(name, field.args.map(inputText));
}

function interfaceText(name: string, lines: readonly string[]): string {
  return `export interface ${name} {\n${lines.map((line) => `  readonly ${line};\n`).join('')}}\n`;
}

function outputText(field: GraphQLField<unknown, unknown>): string {
  return `${field.name}: ${typeText(field.type, outputScalars)}`;
}

// An absent argument is absent, not null, unless a default fills it in.
function inputText(field: GraphQLArgument | GraphQLInputField): string {
  const given = isNonNullType(field.type) || field.defaultValue !== undefined;
  return `${field.name}${given ? '' : '?'}: ${typeText(field.type, inputScalars)}`;
}

function typeText(type: GraphQLInputType | GraphQLOutputType, scalars: Scalars): string {
  if (isNonNullType(type)) return bare(type.ofType, scalars);
  const text = bare(type, scalars);
  return text === 'unknown' ? text : `${text} | null`;
}

function bare(type: GraphQLInputType | GraphQLOutputType, scalars: Scalars): string {
  if (isListType(type)) {
    const item = typeText(type.ofType, scalars);
    return `readonly ${item.includes(' ') ? `(${item})` : item}[]`;
  }
  const { name } = type as GraphQLNamedType;
  return scalars[name] ?? name;
}

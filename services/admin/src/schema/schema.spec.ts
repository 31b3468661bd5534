import { readFileSync } from 'node:fs';
import { identityCommands, policyCommands, registryCommands } from '@gatehouse/event-catalog';
import {
  isEnumType,
  isInputObjectType,
  isObjectType,
  isSpecifiedScalarType,
  validateSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { enumValues } from './enum-values.ts';
import { printSchema, readSchemaSources } from './print-schema.ts';
import { printSchemaTypes } from './print-types.ts';

const schema = readSchemaSources();
const types = Object.values(schema.getTypeMap()).filter(
  (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
);
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('the schema', () => {
  test('is valid', () => {
    expect(validateSchema(schema)).toEqual([]);
  });

  test('is committed as the .graphql files make it; `npm run generate` writes it anew', () => {
    expect(read('../../schema.graphql')).toBe(printSchema());
  });

  test('has its types committed as it makes them; `npm run generate` writes them anew', () => {
    expect(read('./schema.generated.ts')).toBe(printSchemaTypes());
  });

  test('documents every type, field and value', () => {
    const undocumented = types.flatMap((type) => [
      ...(type.description ? [] : [type.name]),
      ...partsOf(type)
        .filter((part) => !part.description)
        .map((part) => `${type.name}.${part.name}`),
    ]);
    expect(undocumented).toEqual([]);
  });

  test('has a mutation for every command of every owner, and no other', () => {
    const commands = [identityCommands, policyCommands, registryCommands].flatMap(Object.keys);
    const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});
    expect(mutations.toSorted()).toEqual(commands.map(camelCase).toSorted());
  });

  test('takes one documented input object for every mutation', () => {
    const fields = Object.values(schema.getMutationType()?.getFields() ?? {});
    const signatures = fields.map(({ name, args }) => [name, args.map((arg) => arg.name).join()]);
    expect(signatures.filter(([, args]) => args !== 'input')).toEqual([]);
  });

  test('says for every enum value what it is in events, each of them once', () => {
    const inSchema = Object.fromEntries(
      types
        .filter((type) => isEnumType(type))
        .map((type) => [
          type.name,
          type
            .getValues()
            .map(({ name }) => name)
            .toSorted(),
        ]),
    );
    const given = Object.fromEntries(
      Object.entries(enumValues).map(([name, values]) => [name, Object.keys(values).toSorted()]),
    );
    expect(given).toEqual(inSchema);
    for (const values of Object.values(enumValues))
      expect(new Set(Object.values(values)).size).toBe(Object.keys(values).length);
  });

  test('nowhere offers the digest of a secret or the value of an environment variable', () => {
    const names = types
      .filter((type) => isObjectType(type))
      .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`));
    expect(names.filter((name) => /secret|sha256|\.env$/i.test(name))).toEqual([]);
    expect(names.filter((name) => name.endsWith('.token'))).toEqual(['IssuedKeyPayload.token']);
  });
});

function partsOf(
  type: (typeof types)[number],
): readonly { readonly name: string; readonly description?: string | null | undefined }[] {
  if (isEnumType(type)) return type.getValues();
  if (isInputObjectType(type)) return Object.values(type.getFields());
  return isObjectType(type) ? Object.values(type.getFields()) : [];
}

function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { environmentName, type ConfigOf, type ConfigSection } from './config-section.ts';

/** A setting is unknown, missing or wrong; the message names each and where it came from. */
export class ConfigError extends Error {
  constructor(complaints: readonly string[]) {
    super(`the configuration is not right:\n${complaints.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Where settings come from: the environment and a YAML file. */
export interface ConfigSources {
  /** A YAML file with one mapping a section; none when undefined. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** GATEHOUSE_ variables that are no settings of a section, such as the path of the file itself. */
  readonly otherEnv?: readonly string[];
}

/** The loaded settings of several sections, by their names. */
export type LoadedConfig<S extends readonly ConfigSection[]> = {
  readonly [Section in S[number] as Section['name']]: ConfigOf<Section>;
};

/** Reads the sections from file and environment (which wins). Unknown sections, keys and GATEHOUSE_ variables are errors: a typo must not become a default. */
export function loadConfig<const S extends readonly ConfigSection[]>(
  sections: S,
  sources: ConfigSources,
): LoadedConfig<S> {
  const complaints: string[] = [];
  const file = readFile(sources.file, complaints);
  for (const name of Object.keys(file)) {
    if (!sections.some((section) => section.name === name))
      complaints.push(`${sources.file}: unknown section ${name}`);
  }
  complaints.push(...unknownVariables(sections, sources));
  const loaded = Object.fromEntries(
    sections.map((section) => [
      section.name,
      loadSection(section, file[section.name], sources, complaints),
    ]),
  );
  if (complaints.length > 0) throw new ConfigError(complaints);
  return loaded as LoadedConfig<S>;
}

function readFile(path: string | undefined, complaints: string[]): Record<string, unknown> {
  if (path === undefined) return {};
  try {
    const content: unknown = parseYaml(readFileSync(path, 'utf8')) ?? {};
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
      return content as Record<string, unknown>;
    }
    complaints.push(`${path}: expected a mapping of sections`);
  } catch (error) {
    complaints.push(`${path}: ${(error as Error).message}`);
  }
  return {};
}

function unknownVariables(
  sections: readonly ConfigSection[],
  { env, otherEnv = [] }: ConfigSources,
): string[] {
  const known = new Set(otherEnv);
  for (const section of sections) {
    for (const key of Object.keys(section.schema.shape)) known.add(environmentName(section, key));
  }
  return Object.keys(env)
    .filter((name) => name.startsWith('GATEHOUSE_') && !known.has(name))
    .map((name) => `environment: unknown variable ${name}`);
}

function loadSection(
  section: ConfigSection,
  fromFile: unknown,
  { env }: ConfigSources,
  complaints: string[],
): unknown {
  if (
    fromFile !== undefined &&
    (typeof fromFile !== 'object' || fromFile === null || Array.isArray(fromFile))
  ) {
    complaints.push(`section ${section.name}: expected a mapping of keys`);
    return undefined;
  }
  const values: Record<string, unknown> = { ...fromFile };
  for (const [key, schema] of Object.entries(section.schema.shape)) {
    const text = env[environmentName(section, key)];
    if (text !== undefined) values[key] = fromText(schema as z.ZodType, text);
  }
  const parsed = section.schema.safeParse(values);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const key = String(issue.path[0] ?? '');
    const from =
      env[environmentName(section, key)] === undefined
        ? ''
        : ` (from ${environmentName(section, key)})`;
    complaints.push(`${[section.name, ...issue.path].join('.')}: ${issue.message}${from}`);
  }
  return undefined;
}

// Environment variables are text: numbers, booleans and comma-separated lists are read as the schema wants them.
function fromText(schema: z.ZodType, text: string): unknown {
  let inner: unknown = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable
  ) {
    inner = inner.unwrap();
  }
  if (inner instanceof z.ZodNumber && text.trim() !== '') return Number(text);
  if (inner instanceof z.ZodBoolean)
    return text === 'true' ? true : text === 'false' ? false : text;
  if (inner instanceof z.ZodArray)
    return text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean);
  return text;
}

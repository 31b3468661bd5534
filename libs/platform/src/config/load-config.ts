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
  /** Sections of the file that other processes read, and judge: all processes may be given the same file. */
  readonly otherSections?: readonly string[];
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
  const known = [...sections.map(({ name }) => name), ...(sources.otherSections ?? [])];
  for (const name of Object.keys(file)) {
    if (!known.includes(name)) complaints.push(`${sources.file}: unknown section ${name}`);
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
    complaints.push(`${path}: ${whyUnreadable(error)}`);
  }
  return {};
}

/** Why a file cannot be used, in one line: a parser shows the place below it. */
export function whyUnreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this process may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return (message.split('\n')[0] ?? '').replace(/:$/, '');
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
    const name = environmentName(section, String(issue.path[0] ?? ''));
    const what = complaintOf(
      issue,
      name,
      env[name],
      issue.path[0] === undefined ? '' : values[String(issue.path[0])],
    );
    complaints.push(`${[section.name, ...issue.path].join('.')}: ${what}`);
  }
  return undefined;
}

const KINDS: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  boolean: '"true" or "false"',
};

/** What is wrong with a setting, and which variable says so or would. */
function complaintOf(
  issue: z.core.$ZodIssue,
  name: string,
  text: string | undefined,
  value: unknown,
): string {
  if (value === undefined && issue.path.length === 1) return `it is required: set ${name}`;
  if (text === undefined) return issue.message;
  // Only of what is no text itself: a text may be an address with a password in it.
  const expected = issue.code === 'invalid_type' ? KINDS[issue.expected] : undefined;
  if (expected !== undefined) return `expected ${expected}, but ${name} is ${JSON.stringify(text)}`;
  return `${issue.message} (from ${name})`;
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
  if (inner instanceof z.ZodNumber && text.trim() !== '')
    return Number.isNaN(Number(text)) ? text : Number(text);
  if (inner instanceof z.ZodBoolean)
    return text === 'true' ? true : text === 'false' ? false : text;
  if (inner instanceof z.ZodArray)
    return text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean);
  return text;
}

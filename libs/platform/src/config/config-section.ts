import type { z } from 'zod';

/** The settings of one module: every key has a default or is required, and says in `.describe` what it is for. */
export interface ConfigSection<
  Name extends string = string,
  Shape extends z.ZodRawShape = z.ZodRawShape,
> {
  readonly name: Name;
  readonly meaning: string;
  readonly schema: z.ZodObject<Shape, z.core.$strict>;
}

/** Declares a module's settings; the schema must be strict, so that a misspelt key is an error and never ignored. */
export function configSection<Name extends string, Shape extends z.ZodRawShape>(
  name: Name,
  meaning: string,
  schema: z.ZodObject<Shape, z.core.$strict>,
): ConfigSection<Name, Shape> {
  return { name, meaning, schema };
}

/** The settings of a section, as they are once loaded. */
export type ConfigOf<S extends ConfigSection> = z.infer<S['schema']>;

/** The environment variable of a key: `GATEHOUSE_<SECTION>_<KEY>`, or the short name that the key's meta gives as `env`. */
export function environmentName(section: ConfigSection, key: string): string {
  const meta = section.schema.shape[key] as z.ZodType | undefined;
  const short = meta?.meta()?.['env'];
  if (typeof short === 'string') return short;
  const snake = key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return `GATEHOUSE_${section.name.toUpperCase()}_${snake}`;
}

import { slugSchema } from '@gatehouse/event-catalog';

const SEPARATOR = '__';

/** A tool's name at the aggregate endpoint. */
export function qualify(slug: string, tool: string): string {
  return `${slug}${SEPARATOR}${tool}`;
}

/** Server and tool of a name made by `qualify`. A slug has no underscore, so the first separator is the one, whatever the tool is called. */
export function splitQualifiedName(name: string): { slug: string; tool: string } | undefined {
  const at = name.indexOf(SEPARATOR);
  if (at < 0) return undefined;
  const slug = name.slice(0, at);
  const tool = name.slice(at + SEPARATOR.length);
  return tool !== '' && slugSchema.safeParse(slug).success ? { slug, tool } : undefined;
}

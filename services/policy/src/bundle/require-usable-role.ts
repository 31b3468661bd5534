import type { RoleDefinition } from '@gatehouse/event-catalog';
import { compile } from '@gatehouse/policy-engine';
import { Refusal } from '@gatehouse/problem-catalog';

// In a pattern only `*` is special. Whoever writes another wildcard, a space or a capital where none can be means
// something that would never match: harmless in a grant, but a denial that silently denies nothing.
const CONNECTOR = /^[a-z0-9*-]+$/;
const TOOL = /^[^\s\p{Cc}\p{Cf}?[\]{}!|\\,]+$/u;

/** Refuses a role that the engine cannot compile, or whose patterns cannot mean what they seem to. */
export function requireUsableRole(role: RoleDefinition): void {
  for (const { slug, tools } of role.connectors) {
    if (!CONNECTOR.test(slug)) {
      throw invalid(
        `the connector ${JSON.stringify(slug)} is no server slug: lower-case letters, digits, hyphens, and * for any run of them`,
      );
    }
    for (const pattern of Object.keys(tools)) {
      if (TOOL.test(pattern)) continue;
      throw invalid(
        `the tool ${JSON.stringify(pattern)} of ${slug} is no tool name: no spaces and no wildcard but *`,
      );
    }
  }
  try {
    compile([role]);
  } catch (error) {
    throw invalid((error as Error).message, error);
  }
}

function invalid(detail: string, cause?: unknown): Refusal {
  return new Refusal('request-invalid', { detail, cause });
}

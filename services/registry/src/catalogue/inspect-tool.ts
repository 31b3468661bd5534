import { rawToolSchema, type RawTool } from '@gatehouse/event-catalog';
import { boundSchema, qualify, splitQualifiedName } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import { findUnstorable } from './find-unstorable.ts';

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const LONGEST_NAME = 128;

/** Lets through, as it stands, a tool that clients can be served under its own name and at the aggregate endpoint; refuses any other with `upstream-garbled`. */
export function inspectTool(slug: string, candidate: unknown): RawTool {
  const { name } = (candidate ?? {}) as { name?: unknown };
  if (typeof name !== 'string') throw unfit('One of its tools has no name.');
  const shown = JSON.stringify(name.slice(0, LONGEST_NAME));
  if (!TOOL_NAME.test(name))
    throw unfit(
      `Its tool ${shown} has a name that is not 1 to 128 of the characters A-Z a-z 0-9 _ . -`,
    );
  requireQualifiable(slug, name);
  const flaw = findUnstorable(candidate);
  if (flaw !== undefined) throw unfit(`Its tool ${shown} has ${flaw}.`);
  const { inputSchema } = candidate as { inputSchema?: { type?: unknown } };
  if (inputSchema?.type !== 'object')
    throw unfit(`Its tool ${shown} has no inputSchema of type "object".`);
  const cost = boundSchema(inputSchema);
  if (cost.kind === 'refused')
    throw unfit(`Its tool ${shown} has an inputSchema that ${cost.why}.`);
  if (!rawToolSchema.safeParse(candidate).success)
    throw unfit(`Its tool ${shown} is not a JSON object.`);
  return candidate as RawTool;
}

function requireQualifiable(slug: string, name: string): void {
  const qualified = qualify(slug, name);
  const split = splitQualifiedName(qualified);
  if (split?.slug !== slug || split.tool !== name)
    throw unfit(`Its tool "${name}" could not be told apart at the aggregate endpoint.`);
  if (qualified.length > LONGEST_NAME)
    throw unfit(
      `Its tool "${name}" has a name that is too long for the aggregate endpoint: "${qualified}" has more than ${LONGEST_NAME} characters.`,
    );
}

function unfit(internal: string): Refusal {
  return new Refusal('upstream-garbled', { internal });
}

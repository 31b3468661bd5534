import type { RawTool, ToolClass } from '@gatehouse/event-catalog';

/** What a reviewer is offered as a tool's class, and why in one sentence. */
export interface ClassProposal {
  readonly class: ToolClass;
  readonly because: string;
}

// `resolve` is missing on purpose: it settles a review thread as readily as it looks up a name. `query`, `run` and
// `execute` do whatever their argument says.
const READ_VERBS = wordSet(`
  browse check compare count describe diff examine explain fetch find get head inspect list lookup peek preview read
  retrieve search show stat status summarize tail validate verify view whoami`);

// Only words that seldom stand for a thing: `get_commit` reads.
const WRITE_WORDS = wordSet(`
  accept activate add append apply approve archive assign attach book cancel clear clone close configure convert create
  deactivate delete deploy detach disable dismiss drop edit enable exec execute forget import insert install invite
  invoke kill merge modify move mutate open overwrite pay post provision publish purge push put query reassign rebase
  register reject remove rename reopen replace rerun reset resolve restart restore resume revert revoke rotate run save
  send set start stop submit subscribe swap sync terminate toggle trigger truncate uninstall unlock unsubscribe update
  upload upsert write`);

// Arguments that choose between the operations of a tool which is several.
const DISCRIMINATORS = wordSet('action command method op operation');

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.trim().split(/\s+/));
}

/**
 * Proposes a class for a tool nobody has looked at yet. Names and annotations are the server's own word, so they only
 * propose, and only together: `read` takes a name that looks like reading, the hint that it only reads, and nothing that
 * speaks against it. Whatever is unknown is `write`.
 */
export function proposeClass(tool: RawTool): ClassProposal {
  const objection =
    objectionToName(tool.name) ?? objectionToHints(tool) ?? objectionToOperations(tool);
  return objection === undefined
    ? {
        class: 'read',
        because: `The name "${tool.name}" looks like reading, and the server says that it only reads.`,
      }
    : { class: 'write', because: objection };
}

function objectionToName(name: string): string | undefined {
  const words = wordsOf(name);
  const written = words.find((word) => WRITE_WORDS.has(word));
  if (written !== undefined)
    return `The name "${name}" speaks of changing something: "${written}".`;
  if (words.some((word) => READ_VERBS.has(word))) return undefined;
  return `The name "${name}" does not say that it reads, and what is unknown counts as writing.`;
}

function objectionToHints(tool: RawTool): string | undefined {
  const hints = fieldsOf(tool['annotations']);
  if (hints['readOnlyHint'] === false) return 'The server says that it does not only read.';
  if (hints['readOnlyHint'] !== true) return 'The server does not say that it only reads.';
  if (hints['destructiveHint'] === true) {
    return 'The server says that it only reads and that it destroys, which cannot both be.';
  }
  return undefined;
}

function objectionToOperations(tool: RawTool): string | undefined {
  const properties = fieldsOf(fieldsOf(tool['inputSchema'])['properties']);
  for (const [argument, schema] of Object.entries(properties)) {
    if (!DISCRIMINATORS.has(argument.toLowerCase())) continue;
    const operations = operationsOf(fieldsOf(schema));
    if (operations.length === 0) return `Its argument "${argument}" can name any operation.`;
    const operation = operations.find((value) => !looksLikeReading(value));
    if (operation !== undefined) {
      return `Its argument "${argument}" can be "${operation}", which does not look like reading.`;
    }
  }
  return undefined;
}

function operationsOf(schema: Record<string, unknown>): string[] {
  const values = Array.isArray(schema['enum']) ? schema['enum'] : [schema['const']];
  return values.filter((value) => value !== undefined).map(String);
}

function looksLikeReading(name: string): boolean {
  const words = wordsOf(name);
  return words.some((word) => READ_VERBS.has(word)) && !words.some((word) => WRITE_WORDS.has(word));
}

function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

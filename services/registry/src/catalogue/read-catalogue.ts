import type { FetchedTool, RawTool, ServerInfo, Transport } from '@gatehouse/event-catalog';
import { methods, proposeClass, toolDigests } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import { connectUpstream, type Upstream } from '@gatehouse/upstream-client';
import type { RegistryConfig } from '../registry.config.ts';
import { findUnstorable } from './find-unstorable.ts';
import { inspectTool } from './inspect-tool.ts';

const MAX_PAGES = 100;
const CLIENT_INFO = { name: 'gatehouse-registry', version: '0.1.0' };

/** What a server said when it was asked. */
export interface LiveCatalogue {
  readonly serverInfo: ServerInfo;
  readonly tools: readonly FetchedTool[];
}

/**
 * Connects, lists the tools to the last page, and disconnects. The tools are the raw objects, untouched, each with its
 * digests and a proposed class. A failure is a Refusal whose `internal` a reviewer can read.
 */
export async function readCatalogue(
  slug: string,
  transport: Transport,
  { stdioCommands, fetchTimeoutMs, maxCatalogueBytes }: RegistryConfig,
): Promise<LiveCatalogue> {
  const deadline = performance.now() + fetchTimeoutMs;
  const upstream = await connectUpstream(transport, {
    stdioCommands,
    connectTimeoutMs: fetchTimeoutMs,
    // The wire may hold more than what is kept: white space, escapes.
    maxMessageBytes: 2 * maxCatalogueBytes,
    clientInfo: CLIENT_INFO,
  });
  try {
    const raw = Object.hasOwn(upstream.capabilities, 'tools')
      ? await listTools(slug, upstream, { deadline, maxCatalogueBytes })
      : [];
    return requireRecordable(
      { serverInfo: upstream.server, tools: raw.map(fetched) },
      maxCatalogueBytes,
    );
  } finally {
    await upstream.close();
  }
}

interface Bounds {
  readonly deadline: number;
  readonly maxCatalogueBytes: number;
}

async function listTools(slug: string, upstream: Upstream, bounds: Bounds): Promise<RawTool[]> {
  const tools = new Map<string, RawTool>();
  const cursors = new Set<string>();
  let bytes = 0;
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { candidates, nextCursor } = await askForPage(upstream, cursor, bounds.deadline);
    for (const candidate of candidates) {
      const tool = inspectTool(slug, candidate);
      if (tools.has(tool.name)) throw unfit(`It lists the tool "${tool.name}" twice.`);
      tools.set(tool.name, tool);
      bytes += Buffer.byteLength(JSON.stringify(tool));
      if (bytes > bounds.maxCatalogueBytes) throw tooLarge(bounds.maxCatalogueBytes);
    }
    if (nextCursor === undefined) return [...tools.values()];
    if (cursors.has(nextCursor))
      throw unfit('Its list of tools goes in circles: a cursor repeats.');
    cursors.add(nextCursor);
    cursor = nextCursor;
  }
  throw unfit(`Its list of tools has more than ${MAX_PAGES} pages.`);
}

async function askForPage(
  upstream: Upstream,
  cursor: string | undefined,
  deadline: number,
): Promise<{ candidates: readonly unknown[]; nextCursor: string | undefined }> {
  const timeoutMs = Math.max(1, Math.round(deadline - performance.now()));
  const params = cursor === undefined ? {} : { cursor };
  const answer = await upstream.request(methods.toolsList, params, { timeoutMs });
  if (answer.kind === 'error') {
    const { code, message } = answer.error;
    throw new Refusal('upstream-unavailable', {
      internal: `It refuses to list its tools: ${message.slice(0, 300)} (${code})`,
    });
  }
  // Not by a schema's parse, which would rebuild the tools: they are pinned as they came.
  const { tools, nextCursor } = answer.result;
  if (!Array.isArray(tools)) throw unfit('Its answer to tools/list has no array of tools.');
  // An empty cursor is a cursor: only absence means the end.
  if (nextCursor !== undefined && typeof nextCursor !== 'string')
    throw unfit('Its answer to tools/list has a cursor that is no text.');
  return { candidates: tools, nextCursor };
}

function fetched(definition: RawTool): FetchedTool {
  const { class: proposedClass, because: proposedBecause } = proposeClass(definition);
  return { definition, digests: toolDigests(definition), proposedClass, proposedBecause };
}

function requireRecordable(catalogue: LiveCatalogue, maxCatalogueBytes: number): LiveCatalogue {
  const flaw = findUnstorable(catalogue.serverInfo);
  if (flaw !== undefined) throw unfit(`What it says of itself has ${flaw}.`);
  if (Buffer.byteLength(JSON.stringify(catalogue)) > maxCatalogueBytes)
    throw tooLarge(maxCatalogueBytes);
  return catalogue;
}

function tooLarge(maxCatalogueBytes: number): Refusal {
  return unfit(`Its catalogue is larger than ${maxCatalogueBytes} bytes.`);
}

function unfit(internal: string): Refusal {
  return new Refusal('upstream-garbled', { internal });
}

import { canonicalPath } from '@gatehouse/platform';

/** An address of the gate: one server with its names untouched, all that the caller may use, or a near miss of these, where nothing is. */
export type Endpoint =
  | { readonly kind: 'aggregate'; readonly path: string }
  | { readonly kind: 'server'; readonly path: string; readonly slug: string }
  | { readonly kind: 'nowhere'; readonly path: string };

const AGGREGATE: Endpoint = { kind: 'aggregate', path: '/mcp' };
const SERVER_PATH = /^\/s\/([^/]*)\/mcp$/;
const GROUNDS = /^\/(?:mcp|s)(?:\/|$)/;
const REMEMBERED = 1_000;
const known = new Map<string, Endpoint>();

/** The endpoint of a request target, or undefined where the address is not the gate's. */
export function endpointOf(target: string | undefined): Endpoint | undefined {
  if (target === undefined) return undefined;
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (path === AGGREGATE.path) return AGGREGATE;
  const remembered = known.get(path);
  if (remembered !== undefined) return remembered;
  const slug = SERVER_PATH.exec(path)?.[1];
  if (slug === undefined) {
    return GROUNDS.test(canonicalPath(path)) ? { kind: 'nowhere', path } : undefined;
  }
  const endpoint: Endpoint = { kind: 'server', path, slug };
  // Callers choose paths, so what is remembered of them is bounded.
  if (known.size < REMEMBERED) known.set(path, endpoint);
  return endpoint;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

/** A request target as it names a path: without query, decoded, in lower case, each slash once, none at the end. By this, near misses are told from strangers. */
export function canonicalPath(target: string): string {
  const path = decoded(target.split('?', 1)[0] ?? '').toLowerCase();
  return path.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

/** The host and the path that a target in absolute form names (RFC 9112, 3.2.2); undefined for every other form. */
export function absoluteForm(
  target: string | undefined,
): { readonly host: string; readonly path: string } | undefined {
  if (target === undefined || target.startsWith('/')) return undefined;
  const [, host, rest] = ABSOLUTE_FORM.exec(target) ?? [];
  if (host === undefined || rest === undefined) return undefined;
  return { host, path: rest.startsWith('/') ? rest : `/${rest}` };
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

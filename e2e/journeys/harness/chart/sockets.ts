import { readdir, readFile, readlink } from 'node:fs/promises';

/** The TCP ports that a process has to do with. */
export interface Sockets {
  readonly listening: readonly number[];
  /** Whom it has called, and who has called it: the port at this end, and the one at the other. */
  readonly connected: readonly { readonly near: number; readonly far: number }[];
}

/** What Linux says of the sockets of a process. */
export async function socketsOf(pid: number): Promise<Sockets> {
  const links = await Promise.all(
    // A file may be closed while it is looked at.
    (await readdir(`/proc/${pid}/fd`)).map((fd) =>
      readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''),
    ),
  );
  const own = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8')),
  );
  const sockets = tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => own.has(fields[9] ?? ''))
    .map(([, near = '', far = '']) => ({ near: portIn(near), far: portIn(far) }));
  return {
    listening: sockets.filter(({ far }) => far === 0).map(({ near }) => near),
    connected: sockets.filter(({ far }) => far !== 0),
  };
}

function portIn(address: string): number {
  return Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
}

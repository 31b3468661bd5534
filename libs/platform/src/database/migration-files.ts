import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of SQL, as a database remembers it once it was applied. */
export interface MigrationFile {
  /** Tells a service's own folder from the platform's, wherever the repo lies: the last two segments of the path. */
  readonly origin: string;
  readonly name: string;
  /** Whether it takes away or tightens what code of an older release stands on. */
  readonly contract: boolean;
  readonly path: string;
}

/** The SQL of these folders, folder by folder and by number within each. */
export async function migrationFiles(
  folders: readonly string[],
): Promise<readonly MigrationFile[]> {
  const files: MigrationFile[] = [];
  for (const folder of folders) {
    const origin = folder.split(/[\\/]/).filter(Boolean).slice(-2).join('/');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();
    files.push(
      ...names.map((name) => ({
        origin,
        name,
        contract: isContract(name),
        path: join(folder, name),
      })),
    );
  }
  return files;
}

/** Whether a file name announces a contract step: `NNNN_name.contract.sql`. */
function isContract(name: string): boolean {
  return name.endsWith('.contract.sql');
}

/** What names a file in the database's memory. */
export function keyOf({ origin, name }: Pick<MigrationFile, 'origin' | 'name'>): string {
  return `${origin}/${name}`;
}

/** Throws where a contract step was taken that this build does not know: its code stands on what that took away. */
export function refuseWhatIsNewer(
  schema: string,
  files: readonly MigrationFile[],
  applied: readonly string[],
): void {
  const known = new Set(files.map(keyOf));
  const newer = applied.find((key) => isContract(key) && !known.has(key));
  if (newer !== undefined)
    throw new Error(
      `this build is older than the database: ${schema} has seen ${newer}, which it does not know`,
    );
}

/** The text of a file, and what tells an edit of it. */
export async function readMigration({
  path,
}: MigrationFile): Promise<{ readonly text: string; readonly sha256: string }> {
  const text = await readFile(path, 'utf8');
  return { text, sha256: createHash('sha256').update(text).digest('hex') };
}

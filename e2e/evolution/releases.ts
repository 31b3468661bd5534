import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tokens } from './journey.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RELEASES = fileURLToPath(new URL('releases', import.meta.url));

/** What was captured when a release was made. Nothing of it is ever edited. */
export interface Release {
  readonly name: string;
  /** Its migrations, by path from the root of the repo, with the SHA-256 of each. */
  readonly migrations: ReadonlyMap<string, string>;
  /** The event types that it can read. */
  readonly eventTypes: readonly string[];
  /** A folder with every row of its database. */
  readonly rows: string;
  readonly tokens: Tokens;
  /** What its admin API answered. */
  readonly readModels: unknown;
  readonly trail: readonly unknown[];
}

/** Where a release is captured. */
export function folderOf(name: string): string {
  return join(RELEASES, name);
}

/** Every release, oldest first. */
export function releases(): readonly Release[] {
  return readdirSync(RELEASES).toSorted().map(readRelease);
}

function readRelease(name: string): Release {
  const folder = folderOf(name);
  const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const lines = (file: string): string[] => text(file).split('\n').filter(Boolean);
  return {
    name,
    migrations: new Map(
      lines('migrations.sha256').map((line) => {
        const [sha256 = '', path = ''] = line.split(/\s+/);
        return [path, sha256];
      }),
    ),
    eventTypes: lines('event-types.txt'),
    rows: join(folder, 'rows'),
    tokens: JSON.parse(text('tokens.json')) as Tokens,
    readModels: JSON.parse(text('read-models.json')),
    trail: JSON.parse(text('trail.json')) as unknown[],
  };
}

/** Every migration there is now, by path from the root of the repo. */
export function migrationFiles(): readonly string[] {
  const platform = readdirSync(join(ROOT, 'libs/platform/migrations')).map(
    (part) => `libs/platform/migrations/${part}`,
  );
  const own = readdirSync(join(ROOT, 'services')).map((name) => `services/${name}/migrations`);
  return [...platform, ...own]
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder))
        .filter((file) => file.endsWith('.sql'))
        .map((file) => `${folder}/${file}`),
    )
    .toSorted();
}

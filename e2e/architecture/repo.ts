import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const notSource = new Set(['node_modules', 'dist', '.git', '.nx', '.gatehouse']);

/** The text of a file of the repo, by its path from the root. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

/** Every file below a folder of the repo, by its path from the root; none where there is no such folder. */
export function filesUnder(folder: string): string[] {
  if (!exists(folder)) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (notSource.has(entry.name)) return [];
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/** The projects of one kind, by folder name. */
export function projectsOf(kind: 'libs' | 'services'): string[] {
  return readdirSync(join(root, kind), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && exists(`${kind}/${entry.name}/package.json`))
    .map((entry) => entry.name);
}

/** The TypeScript below `src` of every project of these kinds. */
export function sourceFiles(...kinds: ('libs' | 'services')[]): string[] {
  return kinds
    .flatMap((kind) => projectsOf(kind).map((name) => `${kind}/${name}/src`))
    .flatMap(filesUnder)
    .filter((path) => path.endsWith('.ts'));
}

/** The modules that a source text imports or re-exports from. */
export function importsOf(text: string): string[] {
  const statements = text.matchAll(
    /^\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  );
  return [...statements].flatMap(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? []);
}

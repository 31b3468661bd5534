import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Whether strace is at hand; `.ci/run` brings it. */
export const seesWrites = spawnSync('strace', ['-V']).status === 0;

const OPENING = ['open', 'openat', 'openat2', 'creat'];
const NAMING = [
  'mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2',
  'link linkat symlink symlinkat truncate chmod fchmodat chown lchown fchownat utimensat',
].flatMap((calls) => calls.split(' '));
const FOR_WRITING = /\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/;

/** What a process is started through, so that the files are told that it makes, changes or takes away; it keeps its pid. */
export function tracingWrites(file: string): readonly string[] {
  // Not every machine has each of these calls: `?`. Only they stop the process: `--seccomp-bpf`.
  const calls = [...OPENING, ...NAMING].map((call) => `?${call}`).join(',');
  const flags = ['-D', '-ff', '-qq', '-y', '-z', '--seccomp-bpf', '-e', `trace=${calls}`];
  return ['strace', ...flags, '-o', file];
}

/** The paths that were written to, by what was traced to this file; relative ones are of this folder. */
export async function writesIn(file: string, folder: string): Promise<readonly string[]> {
  // One file for each thread.
  const names = (await readdir(dirname(file))).filter((name) =>
    name.startsWith(`${basename(file)}.`),
  );
  const traces = await Promise.all(
    names.map((name) => readFile(join(dirname(file), name), 'utf8')),
  );
  const lines = traces.flatMap((trace) => trace.split('\n'));
  return [...new Set(lines.flatMap((line) => writesOf(line, folder)))].toSorted();
}

/** What one call of the system wrote: `openat(AT_FDCWD</home>, "file", O_WRONLY) = 20</home/file>`. */
function writesOf(line: string, folder: string): readonly string[] {
  const [, call = '', said = '', opened] =
    /^(\w+)\((.*)\)\s+= \d+(?:<(.*)>)?(?: \(.*\))?$/.exec(line) ?? [];
  if (OPENING.includes(call))
    return opened !== undefined && (call === 'creat' || FOR_WRITING.test(said)) ? [opened] : [];
  if (!NAMING.includes(call)) return [];
  const paths = [...said.matchAll(/(?:<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)].map(
    ([, from = folder, path = '']) => resolve(from, path),
  );
  // What a symbolic link says is not written to.
  return call.startsWith('symlink') ? paths.slice(1) : paths;
}

import { readFile } from 'node:fs/promises';

/** The megabytes of memory that a process holds at this moment (its resident set). */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { expect, it } from 'vitest';

const COMMAND = fileURLToPath(
  new URL('../../../services/standalone/bin/gatehouse.mjs', import.meta.url),
);

function startDemo(folder: string, ...args: string[]) {
  const child = spawn(process.execPath, [COMMAND, 'demo', ...args], {
    env: { PATH: process.env['PATH'], TMPDIR: folder, HOME: tmpdir(), NO_COLOR: '1' },
    detached: true,
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return { child, said, ended: once(child, 'close') };
}

it('gatehouse demo --keep leaves it running, prints how to connect, and leaves nothing behind on Ctrl-C', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-keep-'));
  const { child, said, ended } = startDemo(folder, '--keep');
  await eventually(() => expect(said.stdout).toContain('It runs until Ctrl-C'), {
    timeoutMs: 60_000,
  });
  const endpoint = /MCP endpoint\s+(\S+)/.exec(said.stdout)?.[1] ?? '';
  const token = /The editor\s+(gh_\S+)/.exec(said.stdout)?.[1] ?? '';
  const caller = await connectCaller(endpoint, token, 'newcomer');
  expect(await caller.listTools()).toContain('files__write_file');
  await caller.close();
  // As a terminal does it: every process of the group is told.
  process.kill(-child.pid!, 'SIGINT');
  await ended;
  expect(child.exitCode).toBe(0);
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

it('gatehouse demo ends with exit code 1 and the reason where it cannot do what it shows', async () => {
  const { child, said, ended } = startDemo('/nowhere/at/all');
  await ended;
  expect(child.exitCode).toBe(1);
  expect(said.stderr).toMatch(/^gatehouse: .*\/nowhere\/at\/all/);
});

it('gatehouse demo ends with exit code 1 and names the expectation that did not come true, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-broken-'));
  const { child, said, ended } = startDemo(folder);
  // The file that the reader is to read says something else before the gate is up.
  await eventually(
    async () => {
      const [stage] = await readdir(folder);
      const file = join(folder, stage ?? 'none', 'files', 'quarter.txt');
      expect(await readFile(file, 'utf8')).toContain('12 percent');
      await writeFile(file, 'Revenue fell.');
    },
    { timeoutMs: 30_000, everyMs: 5 },
  );
  await ended;
  expect(child.exitCode).toBe(1);
  expect(said.stderr).toMatch(
    /^gatehouse: this did not come true: reads quarter\.txt; found instead: .*Revenue fell\./,
  );
  expect(said.stdout).not.toContain('Everything came true');
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

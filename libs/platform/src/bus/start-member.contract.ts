import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '@gatehouse/testing';
import { expect } from 'vitest';
import type { MemberProcess } from './bus.contract.ts';

/** Starts the member process of an adapter's harness, and waits until it has subscribed. */
export async function startMemberProcess(
  script: URL,
  ...args: readonly string[]
): Promise<MemberProcess> {
  const child = spawn(process.execPath, ['--conditions=source', fileURLToPath(script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  child.stdout
    .setEncoding('utf8')
    .on('data', (chunk: string) => lines.push(...chunk.trim().split('\n')));
  const exited = once(child, 'exit');
  await eventually(() => expect(lines).toContain('subscribed'), { timeoutMs: 10_000 });
  return {
    get handled() {
      return lines.filter((line) => line !== 'subscribed');
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

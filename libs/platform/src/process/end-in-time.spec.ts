import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const file = fileURLToPath(new URL('end-in-time.ts', import.meta.url));

function run(ms: number, rest: string) {
  const script = `import { endInTime } from ${JSON.stringify(file)}; endInTime(${ms}, console.log); ${rest}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 30_000,
  });
}

describe('a process that is to end in time', () => {
  it('is ended when something hangs, and says so', () => {
    const { status, stdout } = run(100, 'setInterval(() => undefined, 1_000);');
    expect(stdout).toBe('did not end within 0.1 s, and is ended now\n');
    expect(status).toBe(1);
  });

  it('ends by itself when nothing does', () => {
    const { status, stdout } = run(60_000, '');
    expect([status, stdout]).toEqual([0, '']);
  });
});

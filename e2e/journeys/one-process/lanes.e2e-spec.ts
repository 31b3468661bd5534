import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const lanes = fileURLToPath(new URL('../../lanes.ts', import.meta.url));

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'gatehouse-lanes-'));
});
afterAll(() => rmSync(home, { recursive: true }));

/** `npm test` for these lanes, on a machine that has Node and nothing else. */
function runLanes(names: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [lanes, ...names], {
    env: { PATH: home, HOME: home, ...env },
    encoding: 'utf8',
  });
  return { code: status, lines: stdout.trim().split('\n'), stderr };
}

describe('a lane whose real server cannot be had', () => {
  it('is reported as skipped, by its name and with the reason, and the last line is the totals', () => {
    const { code, lines } = runLanes(['kafka']);
    expect(lines).toEqual([
      expect.stringMatching(/^skipped: kafka: Kafka cannot be started here: .*Java/),
      '0 passed, 0 failed, 1 skipped',
    ]);
    expect(code).toBe(0);
  });

  it('is skipped alone where nothing can be mounted, as for whoever is not root', () => {
    const { code, lines } = runLanes(['fault-disk']);
    expect(lines).toEqual([
      expect.stringMatching(/^skipped: fault-disk: a small disk cannot be mounted here/),
      '0 passed, 0 failed, 1 skipped',
    ]);
    expect(code).toBe(0);
  });

  it('has failed where no lane may skip', () => {
    const { code, lines } = runLanes(['kafka'], { NO_LANE_MAY_SKIP: '1' });
    expect(lines[0]).toMatch(/^failed: kafka: /);
    expect(lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped');
    expect(code).toBe(1);
  });

  it('is not mistaken for one that does not exist', () => {
    const { code, stderr } = runLanes(['kafkaesque']);
    expect(stderr).toContain('no such lane: kafkaesque');
    expect(code).toBe(2);
  });
});

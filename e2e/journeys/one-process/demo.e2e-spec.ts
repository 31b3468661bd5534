import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  installation,
  type CommandResult,
  type Installation,
} from '../harness/gatehouse-process.ts';

describe('gatehouse demo', () => {
  let place: Installation;
  let result: CommandResult;

  beforeAll(async () => {
    place = await installation();
    result = await place.run('demo');
  });
  afterAll(() => place.dispose());

  it('tells the main job on real servers and ends well', () => {
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('Everything came true');
    expect(result.stdout.match(/✓/g)?.length).toBeGreaterThanOrEqual(15);
  });

  it('shows who called which tool, what was decided, and why', () => {
    expect(result.stdout).toMatch(/report-bot.*files read_text_file.*allow/);
    expect(result.stdout).toMatch(/report-bot.*files write_file.*deny/);
    expect(result.stdout).toMatch(/release-bot.*files write_file.*allow/);
  });

  it('leaves nothing behind: no data, no files, no process', () => {
    expect(readdirSync(dirname(place.dataDirectory))).toEqual([]);
  });
});

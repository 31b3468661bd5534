import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';

describe('the logger', () => {
  it('never writes a secret, at the top or two levels deep', () => {
    const lines: string[] = [];
    const log = createLogger({
      service: 's',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    });
    log.info(
      {
        token: 'gh_1',
        request: { authorization: 'Bearer gh_2', headers: { cookie: 'c=3' } },
        tool: 'echo',
      },
      'hi',
    );
    expect(lines.join('')).not.toMatch(/gh_1|gh_2|c=3/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      service: 's',
      msg: 'hi',
      tool: 'echo',
      token: '[redacted]',
    });
  });
});

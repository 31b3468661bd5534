import { describe, expect, it } from 'vitest';
import { createLogger, type Logger } from './logger.ts';

/** What a logger writes while `work` uses it. */
function written(work: (log: Logger) => void): string {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  work(createLogger({ service: 's', level: 'info', destination }));
  return lines.join('');
}

describe('the logger', () => {
  it('never writes what the name of a secret carries, at the top or two levels deep', () => {
    const text = written((log) =>
      log.info(
        {
          token: 'one',
          request: {
            authorization: 'Bearer two',
            headers: { cookie: 'three', 'set-cookie': 'four', authorization: 'five' },
          },
          call: { arguments: { path: 'six' } },
          tool: 'echo',
        },
        'hi',
      ),
    );
    expect(text).not.toMatch(/one|two|three|four|five|six/);
    expect(JSON.parse(text)).toMatchObject({
      service: 's',
      msg: 'hi',
      tool: 'echo',
      token: '[redacted]',
    });
  });

  it.each([
    ['a key of ours', 'gh_0sdYV7GWEcc7lyBd5_abcDEF0123456789-x'],
    ['a bearer token', 'Bearer eyJhbGciOi.payload_and-signature/+='],
    ['a password in an address', 'postgres://gatehouse:hunter2@localhost:5432/x'],
  ])('never writes %s, in whatever text it stands and however deep', (_what, secret) => {
    const text = written((log) => {
      log.error({ err: new Error(`refused ${secret}`) }, `could not use ${secret} there`);
      log.warn({ a: { b: { c: { d: [`got "${secret}"`] } } } });
    });
    expect(text).not.toMatch(/abcDEF0123456789|payload_and-signature|hunter2/);
    const [error, warning] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(error).toMatchObject({ msg: expect.stringMatching(/\[redacted\].* there$/) as string });
    expect(JSON.stringify(warning)).toContain('[redacted]');
  });

  it('leaves alone what only looks a little like a secret', () => {
    const msg = 'gatehouse_identity at http://127.0.0.1:8080/mcp?a=b@c, gh_ and the bearer of news';
    expect(JSON.parse(written((log) => log.info(msg)))).toMatchObject({ msg });
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { auditTail } from './audit-tail.ts';
import { exitCodes } from './exit-codes.ts';

const tokenBefore = process.env['GATEHOUSE_TOKEN'];
afterEach(() => {
  if (tokenBefore === undefined) delete process.env['GATEHOUSE_TOKEN'];
  else process.env['GATEHOUSE_TOKEN'] = tokenBefore;
});

describe('gatehouse audit tail --url', () => {
  it('takes an http address only: a key is never sent to anything else', async () => {
    process.env['GATEHOUSE_TOKEN'] = 'gh_some_key';
    for (const url of ['', 'gate.example', 'ftp://gate.example', 'file:///etc/passwd']) {
      await expect(auditTail({ lines: '5', url })).rejects.toMatchObject({
        exitCode: exitCodes.usage,
        message: expect.stringContaining('--url takes'),
      });
    }
  });

  it('asks for the key of an administrator: that of a data directory is of another gate', async () => {
    for (const token of [undefined, ' ']) {
      if (token === undefined) delete process.env['GATEHOUSE_TOKEN'];
      else process.env['GATEHOUSE_TOKEN'] = token;
      await expect(auditTail({ lines: '5', url: 'http://127.0.0.1:1' })).rejects.toMatchObject({
        exitCode: exitCodes.usage,
        message: expect.stringContaining('GATEHOUSE_TOKEN'),
      });
    }
  });
});

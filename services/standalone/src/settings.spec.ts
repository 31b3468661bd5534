import { describe, expect, it } from 'vitest';
import { loadSettings } from './settings.ts';

describe('the settings of one process', () => {
  it('keep everything in ./.gatehouse and to this machine, on port 8080, when nothing is said', () => {
    expect(loadSettings({}).standalone).toEqual({
      data: '.gatehouse',
      port: 8080,
      host: '127.0.0.1',
      logLevel: 'warn',
    });
  });

  it('are said by GATEHOUSE_DATA and GATEHOUSE_PORT', () => {
    const { data, port } = loadSettings({
      GATEHOUSE_DATA: '/srv/x',
      GATEHOUSE_PORT: '9',
    }).standalone;
    expect([data, port]).toEqual(['/srv/x', 9]);
  });
});

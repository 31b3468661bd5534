import { problems } from '@gatehouse/problem-catalog';
import { describe, expect, test } from 'vitest';
import { textOf } from './repo.ts';

const entries = Object.entries(problems).map(([code, problem]) => ({ code, ...problem }));
/** What JSON-RPC itself and MCP give a meaning to; everything else from -32768 to -32000 is not ours to use. */
const standardCodes = [-32_700, -32_600, -32_601, -32_602, -32_603, -32_020, -32_021, -32_022];
const own = entries.filter(({ rpcCode }) => !standardCodes.includes(rpcCode));

function repeated<T>(values: readonly T[]): T[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

describe('the catalogue of problems', () => {
  test('is documented, each code with its sentence', () => {
    const lines = textOf('docs/reference/problems.md').split('\n');
    const undocumented = entries.filter(
      ({ code, title }) =>
        !lines.some((line) => line.startsWith(`| \`${code}\` |`) && line.endsWith(`| ${title} |`)),
    );
    expect(undocumented).toEqual([]);
  });

  test('gives each problem a sentence of its own', () => {
    expect(repeated(entries.map(({ title }) => title))).toEqual([]);
  });

  test('gives each problem of our own a JSON-RPC code of its own', () => {
    expect(repeated(own.map(({ rpcCode }) => rpcCode))).toEqual([]);
  });

  test('keeps our own codes out of the range that JSON-RPC and MCP reserve', () => {
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter(({ rpcCode }) => rpcCode >= -32_768 && rpcCode <= -32_000)).toEqual([]);
  });

  test('gives each problem a name and a status that callers can rely on', () => {
    const odd = entries.filter(
      ({ code, status }) =>
        !/^[a-z]+(-[a-z]+)*$/.test(code) || !(status === 200 || (status >= 400 && status < 600)),
    );
    expect(odd).toEqual([]);
  });
});

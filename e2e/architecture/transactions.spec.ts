import { describe, expect, test } from 'vitest';
import { sourceFiles, textOf } from './repo.ts';

/** What leaves the process or waits for somebody else: nothing of it may happen while a database transaction is open. */
const callsToOthers =
  /\bfetch\(|\.publish\(|\.subscribe\(|\.readAll\(topic|OwnerClient|owners?\.(command|query)\(|connectUpstream\(|upstream\w*\.(request|call)\(/;

/** The text of every `.transaction(…)` call, its callback included. */
function transactionsIn(text: string): string[] {
  return [...text.matchAll(/\.transaction\(/g)].map(({ index }) => {
    const start = text.indexOf('(', index);
    let depth = 0;
    for (let end = start; end < text.length; end += 1) {
      if (text[end] === '(') depth += 1;
      if (text[end] === ')') depth -= 1;
      if (depth === 0) return text.slice(start, end + 1);
    }
    return text.slice(start);
  });
}

describe('no database transaction is held across a call to somebody else', () => {
  const found = sourceFiles('libs', 'services')
    .filter((path) => !/\.(spec|int-spec|kafka-spec|contract)\.ts$/.test(path))
    .flatMap((path) => transactionsIn(textOf(path)).map((body) => ({ path, body })));

  test('there are transactions to look at', () => {
    expect(found.length).toBeGreaterThan(0);
  });

  test('none calls out', () => {
    expect(found.filter(({ body }) => callsToOthers.test(body)).map(({ path }) => path)).toEqual(
      [],
    );
  });

  test('one that publishes before it commits would be found', () => {
    const text = `await database.transaction(async (client) => {\n  await client.query('select (1)');\n  await bus.publish(topic, []);\n});\nawait fetch('/');`;
    const [body = ''] = transactionsIn(text);
    expect(callsToOthers.test(body)).toBe(true);
    expect(callsToOthers.test(body.replace('bus.publish', 'list.push'))).toBe(false);
  });
});

import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sourceFiles, textOf } from './repo.ts';

const doors = sourceFiles('libs', 'services').filter((path) => path.endsWith('/index.ts'));

/** What a door re-exports, by name and the file that it comes from. */
function exportsOf(door: string): { readonly file: string; readonly name: string }[] {
  return [...textOf(door).matchAll(/export (?:type )?\{([^}]*)\} from '(\.[^']+)'/g)].flatMap(
    ([, names = '', from = '']) =>
      names
        .split(',')
        .map((name) =>
          name
            .trim()
            .replace(/^type /, '')
            .replace(/ as .*/, ''),
        )
        .filter((name) => name !== '')
        .map((name) => ({ file: join(dirname(door), from), name })),
  );
}

/** Those of these, declared in the text, that say nothing of themselves. */
function undocumented(text: string, names: readonly string[]): string[] {
  return names.filter((name) =>
    new RegExp(
      `(?<!\\*/\\n)^export (?:abstract |async )*(?:function|class|interface|type|const) ${name}\\b`,
      'm',
    ).test(text),
  );
}

describe('doors', () => {
  test.each(doors)('%s re-exports by name and holds no code', (door) => {
    const code = textOf(door)
      .replaceAll(/export (?:type )?\{[^}]*\} from '[^']+';/g, '')
      .replaceAll(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(code.trim()).toBe('');
  });

  test('everything that a door exports says what it is', () => {
    const found = doors.flatMap(exportsOf);
    expect(found.length).toBeGreaterThan(100);
    const silent = found.filter(({ file, name }) => undocumented(textOf(file), [name]).length > 0);
    expect(silent).toEqual([]);
  });

  test('one that says nothing would be found', () => {
    const text = `/** Does one thing. */\nexport function one(): void {}\n\nexport async function two(): Promise<void> {}\nexport type Three = 3;\n`;
    expect(undocumented(text, ['one', 'two', 'Three'])).toEqual(['two', 'Three']);
  });
});

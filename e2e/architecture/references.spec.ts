import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { configSections } from '../generate/config-sections.ts';
import { generatedFiles } from '../generate/generated-files.ts';
import { sourceFiles, textOf } from './repo.ts';

describe('generated references', () => {
  test.each(generatedFiles().filter(({ frozen }) => !frozen))(
    '$path is what `npm run generate` writes',
    ({ path, text }) => {
      expect(textOf(path)).toBe(text);
    },
  );

  test('the settings of every module are in the reference', () => {
    const declared = sourceFiles('libs', 'services')
      .filter((path) => !path.endsWith('spec.ts'))
      .flatMap((path) => /= configSection\(\s*'([a-z]+)'/.exec(textOf(path))?.[1] ?? []);
    expect(declared).toContain('process');
    expect(configSections.map(({ name }) => name).toSorted()).toEqual(declared.toSorted());
  });

  test('each setting says what it is for', () => {
    const silent = configSections.flatMap(({ name, schema }) =>
      Object.entries(schema.shape as Record<string, z.ZodType>)
        .filter(([, setting]) => !setting.description)
        .map(([key]) => `${name}.${key}`),
    );
    expect(silent).toEqual([]);
  });
});

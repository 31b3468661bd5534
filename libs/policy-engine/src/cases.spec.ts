import { readdirSync, readFileSync } from 'node:fs';
import { toolClassSchema, type RoleDefinition } from '@gatehouse/event-catalog';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { compile, decide, readToolGrant } from './index.ts';

const caseFileSchema = z.strictObject({
  roles: z.record(
    z.string(),
    z.array(
      z.strictObject({
        slug: z.string(),
        tools: z.record(z.string(), z.unknown().transform(readToolGrant)),
      }),
    ),
  ),
  cases: z
    .array(
      z.strictObject({
        it: z.string(),
        holding: z.array(z.string()),
        call: z.string().includes('/'),
        class: toolClassSchema,
        expect: z.string(),
        by: z.string().optional(),
      }),
    )
    .nonempty(),
});

const folder = new URL('../cases/', import.meta.url);

for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
  const { roles, cases } = caseFileSchema.parse(parse(readFileSync(new URL(file, folder), 'utf8')));
  const policy = compile(
    Object.entries(roles).map(([name, connectors]): RoleDefinition => ({
      name,
      description: '',
      management: 'none',
      connectors,
    })),
  );

  describe(`cases of ${file}`, () => {
    it.each(cases)('$it', ({ holding, call, class: toolClass, expect: code, by }) => {
      const [server = '', tool = ''] = call.split('/');
      const { allow, reason } = decide(policy, { roles: holding, server, tool, toolClass });

      expect(reason.code).toBe(code);
      expect(allow).toBe(code === 'granted');
      const { role, connector, pattern, mode } = reason;
      expect(by?.split(' | ') ?? [null, null, null, null]).toEqual([
        role,
        connector,
        pattern,
        mode,
      ]);
    });
  });
}

import type { RoleDefinition, ToolClass, ToolGrant } from '@gatehouse/event-catalog';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, decide, type CompiledPolicy } from './index.ts';

interface CataloguedTool {
  readonly server: string;
  readonly name: string;
  readonly class: ToolClass;
}

// A small alphabet, so that patterns and names meet often.
const word = fc.string({ unit: fc.constantFrom('a', 'b', '_'), minLength: 1, maxLength: 4 });
const pattern = fc.oneof(
  fc.constant('*'),
  word,
  fc.string({ unit: fc.constantFrom('a', 'b', '_', '*'), minLength: 1, maxLength: 4 }),
);
const deny: ToolGrant = { mode: 'off', deny: true };
const grant: fc.Arbitrary<ToolGrant> = fc.constantFrom<ToolGrant>('read', 'write', 'off', deny);
const harmlessGrant = fc.constantFrom<ToolGrant>('read', 'write', 'off');
const roleNames = ['auditor', 'builder', 'clerk', 'driver'];

const rolesOf = (ofGrant: fc.Arbitrary<ToolGrant>) =>
  fc
    .subarray(roleNames)
    .chain((names) => fc.tuple(...names.map((name) => roleOf(name, ofGrant)))) as fc.Arbitrary<
    RoleDefinition[]
  >;
const roleOf = (name: string, ofGrant: fc.Arbitrary<ToolGrant>) =>
  fc.record({
    name: fc.constant(name),
    description: fc.constant(''),
    management: fc.constant('none' as const),
    connectors: fc.array(
      fc.record({ slug: pattern, tools: fc.dictionary(pattern, ofGrant, { maxKeys: 4 }) }),
      { maxLength: 3 },
    ),
  });
const tool: fc.Arbitrary<CataloguedTool> = fc.record({
  server: word,
  name: word,
  class: fc.constantFrom<ToolClass>('read', 'write'),
});
const held = fc.subarray([...roleNames, 'ghost']);
const catalogue = fc.uniqueArray(tool, {
  selector: ({ server, name }) => JSON.stringify([server, name]),
  maxLength: 12,
});

function allowed(policy: CompiledPolicy, roles: readonly string[], asked: CataloguedTool): boolean {
  const { server, name, class: toolClass } = asked;
  return decide(policy, { roles, server, tool: name, toolClass }).allow;
}

function listed(
  policy: CompiledPolicy,
  roles: readonly string[],
  tools: readonly CataloguedTool[],
): CataloguedTool[] {
  return tools.filter((each) => allowed(policy, roles, each));
}

describe('decisions', () => {
  it('list exactly the tools that can be called, however the roles are ordered or repeated, remembered or not', () => {
    fc.assert(
      fc.property(rolesOf(grant), held, catalogue, fc.nat(), (roles, holds, tools, turn) => {
        const policy = compile(roles);
        const list = listed(policy, holds, tools);
        const turned = [...holds.slice(turn % 5), ...holds, ...holds.slice(0, turn % 5)];
        for (const each of tools) {
          const asked = { server: each.server, tool: each.name, toolClass: each.class };
          const callable = decide(policy, { roles: turned, ...asked });
          expect(callable.allow).toBe(list.includes(each));
          const afresh = compile(roles.toReversed());
          expect(decide(afresh, { roles: Object.freeze([...holds]), ...asked })).toEqual(callable);
        }
      }),
    );
  });

  it('are not changed by another tool joining the catalogue, which nobody with only read grants may call until it is classified', () => {
    fc.assert(
      fc.property(rolesOf(grant), held, catalogue, tool, (roles, holds, tools, newcomer) => {
        const others = tools.filter(
          ({ server, name }) => server !== newcomer.server || name !== newcomer.name,
        );
        const before = listed(compile(roles), holds, others);
        const policy = compile(roles);
        const unclassified: CataloguedTool = { ...newcomer, class: 'write' };
        const after = listed(policy, holds, [unclassified, ...others]);
        expect(after.filter((each) => each !== unclassified)).toEqual(before);
        const writes = roles.some(({ connectors }) =>
          connectors.some(({ tools: lines }) => Object.values(lines).includes('write')),
        );
        expect(writes || !after.includes(unclassified)).toBe(true);
      }),
    );
  });

  it('of other tools are not changed by a line that names one tool of one server', () => {
    fc.assert(
      fc.property(rolesOf(grant), held, tool, tool, grant, (roles, holds, named, other, line) => {
        fc.pre(named.server !== other.server || named.name !== other.name);
        const [first, ...rest] = roles;
        fc.pre(first !== undefined);
        const connectors = [
          ...first.connectors,
          { slug: named.server, tools: { [named.name]: line } },
        ];
        const widened = compile([{ ...first, connectors }, ...rest]);
        expect(allowed(widened, holds, other)).toBe(allowed(compile(roles), holds, other));
      }),
    );
  });

  it('never widen by an explicit deny, wherever it is added', () => {
    fc.assert(
      fc.property(
        rolesOf(grant),
        held,
        catalogue,
        pattern,
        pattern,
        fc.nat(),
        (roles, holds, tools, slug, denied, at) => {
          fc.pre(roles.length > 0);
          const stricter = roles.map((role, index) =>
            index === at % roles.length
              ? { ...role, connectors: [...role.connectors, { slug, tools: { [denied]: deny } }] }
              : role,
          );
          const before = listed(compile(roles), holds, tools);
          expect(before).toEqual(expect.arrayContaining(listed(compile(stricter), holds, tools)));
        },
      ),
    );
  });

  it('never widen by losing a role, unless that role denied something', () => {
    fc.assert(
      fc.property(
        rolesOf(harmlessGrant),
        fc.shuffledSubarray(roleNames, { minLength: 1 }),
        catalogue,
        (roles, holds, tools) => {
          const policy = compile(roles);
          const before = listed(policy, holds, tools);
          expect(before).toEqual(expect.arrayContaining(listed(policy, holds.slice(1), tools)));
        },
      ),
    );
  });

  it('give a reason that names a line of a held role which matches, or none at all', () => {
    fc.assert(
      fc.property(rolesOf(grant), held, tool, (roles, holds, asked) => {
        const { server, name, class: toolClass } = asked;
        const { allow, reason } = decide(compile(roles), {
          roles: holds,
          server,
          tool: name,
          toolClass,
        });
        expect(allow).toBe(reason.code === 'granted');
        const { role, connector, pattern: named, mode } = reason;
        const undecided = reason.code === 'no-role' || reason.code === 'not-granted';
        expect(undecided).toBe(role === null);
        const lines = roles
          .filter((each) => holds.includes(each.name) && each.name === role)
          .flatMap(({ connectors }) => connectors.filter(({ slug }) => slug === connector));
        expect(lines.some(({ tools }) => Object.hasOwn(tools, named ?? ''))).toBe(!undecided);
        for (const part of undecided ? [] : [role, connector, named, mode]) {
          expect(reason.text).toContain(`"${part}"`);
        }
      }),
    );
  });
});

import type { RoleDefinition } from '@gatehouse/event-catalog';
import { given } from '@gatehouse/event-sourcing';
import { describe, expect, it } from 'vitest';
import { bundleDecider, type BundleEvent } from './bundle.decider.ts';
import { shippedRoles } from './shipped-roles.ts';

const [admin, developer, viewer] = shippedRoles as [RoleDefinition, RoleDefinition, RoleDefinition];
const editor: RoleDefinition = {
  name: 'editor',
  description: '',
  management: 'none',
  connectors: [{ slug: 'files', tools: { '*': 'read', write_file: 'write' } }],
};
const defined = (role: RoleDefinition): BundleEvent => ({
  type: 'policy.role-defined.v1',
  data: { role },
});
const published = (number: number, ...roles: RoleDefinition[]): BundleEvent => ({
  type: 'policy.bundle-published.v1',
  data: { number, roles },
});
const first = [...shippedRoles.map(defined), published(1, admin, developer, viewer)];
const withEditor = [...first, defined(editor), published(2, admin, developer, editor, viewer)];

describe('the first bundle', () => {
  const publish = { type: 'publish-shipped-roles', roles: shippedRoles } as const;

  it('holds the shipped roles', () => {
    given(bundleDecider)
      .when(publish)
      .emits(...first);
  });

  it('is published once, and never over what people made of it', () => {
    given(bundleDecider, ...first)
      .when(publish)
      .emitsNothing();
  });

  it('lets nobody but admin touch the gate, and viewer change nothing', () => {
    expect(shippedRoles.map(({ name, management }) => [name, management])).toEqual([
      ['admin', 'administer'],
      ['developer', 'none'],
      ['viewer', 'none'],
    ]);
    expect(viewer.connectors).toEqual([{ slug: '*', tools: { '*': 'read' } }]);
  });
});

describe('defining a role', () => {
  it('publishes the next bundle with every role in the order of names', () => {
    given(bundleDecider, ...first)
      .when({ type: 'define-role', role: editor })
      .emits(defined(editor), published(2, admin, developer, editor, viewer));
  });

  it('anew replaces it', () => {
    const changed = { ...editor, connectors: [] };
    given(bundleDecider, ...withEditor)
      .when({ type: 'define-role', role: changed })
      .emits(defined(changed), published(3, admin, developer, changed, viewer));
  });

  it('as it is already changes nothing, whatever the order of its keys', () => {
    const { connectors, ...rest } = editor;
    const same = {
      connectors: [{ tools: { write_file: 'write', '*': 'read' }, slug: 'files' }],
      ...rest,
    } as const satisfies RoleDefinition;
    expect(connectors).toEqual(same.connectors);
    given(bundleDecider, ...withEditor)
      .when({ type: 'define-role', role: same })
      .emitsNothing();
  });

  it('may give admin other connectors but never less than to administer', () => {
    const narrower: RoleDefinition = { ...admin, connectors: [] };
    given(bundleDecider, ...first)
      .when({ type: 'define-role', role: narrower })
      .emits(defined(narrower), published(2, narrower, developer, viewer));
    for (const management of ['none', 'observe'] as const) {
      given(bundleDecider, ...first)
        .when({ type: 'define-role', role: { ...admin, management } })
        .refuses('role-built-in');
    }
  });

  it.each(['Files', 'jira?', 'a b', 'x_y', 'files,jira'])(
    'is refused with the connector %j, which no server has',
    (slug) => {
      given(bundleDecider, ...first)
        .when({ type: 'define-role', role: { ...editor, connectors: [{ slug, tools: {} }] } })
        .refuses('request-invalid');
    },
  );

  it.each(['read file', 'tool?', '[ab]', '{a,b}', 'write_file ', 'a\u0000', 'a\u200bb', '!x'])(
    'is refused with the tool %j, which would not match what it seems to',
    (pattern) => {
      const tools = { [pattern]: { mode: 'off', deny: true } } as const;
      given(bundleDecider, ...first)
        .when({ type: 'define-role', role: { ...editor, connectors: [{ slug: '*', tools }] } })
        .refuses('request-invalid');
    },
  );

  it('takes globs and every name that tools have', () => {
    const tools = { 'get_*': 'read', 'a.b/c-D:1': 'write', '*secret*': 'off' } as const;
    const role = { ...editor, connectors: [{ slug: 'jira-*', tools }] };
    given(bundleDecider, ...first)
      .when({ type: 'define-role', role })
      .emits(defined(role), published(2, admin, developer, role, viewer));
  });

  it('is refused when the bundle would be too large for the bus', () => {
    const tools = Object.fromEntries(
      Array.from({ length: 8_000 }, (_, i) => [`${'x'.repeat(100)}${i}`, 'read' as const]),
    );
    given(bundleDecider, ...first)
      .when({ type: 'define-role', role: { ...editor, connectors: [{ slug: '*', tools }] } })
      .refuses('request-invalid');
  });
});

describe('deleting a role', () => {
  it('publishes the next bundle without it', () => {
    given(bundleDecider, ...withEditor)
      .when({ type: 'delete-role', name: 'editor' })
      .emits(
        { type: 'policy.role-deleted.v1', data: { name: 'editor' } },
        published(3, admin, developer, viewer),
      );
  });

  it('may be one of the shipped ones, but not admin', () => {
    given(bundleDecider, ...first)
      .when({ type: 'delete-role', name: 'developer' })
      .emits(
        { type: 'policy.role-deleted.v1', data: { name: 'developer' } },
        published(2, admin, viewer),
      );
    given(bundleDecider, ...first)
      .when({ type: 'delete-role', name: 'admin' })
      .refuses('role-built-in');
  });

  it('that is not there is refused', () => {
    given(bundleDecider, ...first)
      .when({ type: 'delete-role', name: 'editor' })
      .refuses('role-unknown');
  });
});

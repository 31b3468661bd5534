import type { EventOf, RoleDefinition } from '@gatehouse/event-catalog';
import type { Decider } from '@gatehouse/event-sourcing';
import { Refusal } from '@gatehouse/problem-catalog';
import { requireUsableRole } from './require-usable-role.ts';
import { sameRole } from './same-role.ts';
import { ADMIN_ROLE } from './shipped-roles.ts';

export type BundleEvent = EventOf<
  'policy.role-defined.v1' | 'policy.role-deleted.v1' | 'policy.bundle-published.v1'
>;

/** Every role by name, and the number of the bundle that published them; 0 before the first. */
export interface Bundle {
  readonly number: number;
  readonly roles: ReadonlyMap<string, RoleDefinition>;
}

export type BundleCommand =
  | { readonly type: 'publish-shipped-roles'; readonly roles: readonly RoleDefinition[] }
  | { readonly type: 'define-role'; readonly role: RoleDefinition }
  | { readonly type: 'delete-role'; readonly name: string };

/** The one stream of policy: a bundle is the whole policy, so all roles are one decision. */
export const BUNDLE_STREAM = 'bundle';

// The bus takes messages of 1 MiB; a bundle that it would not take would stop every later one behind it.
const LARGEST_BUNDLE = 768 * 1024;

/** The whole policy: roles are written and deleted, and each change publishes the next numbered bundle. */
export const bundleDecider: Decider<Bundle, BundleCommand, BundleEvent> = {
  initialState: { number: 0, roles: new Map() },
  decide(command, bundle) {
    switch (command.type) {
      case 'publish-shipped-roles':
        return bundle.number > 0 ? [] : published(bundle, command.roles.map(defined));
      case 'define-role':
        return define(command.role, bundle);
      case 'delete-role':
        return remove(command.name, bundle);
    }
  },
  evolve(bundle, { type, data }) {
    const roles = new Map(bundle.roles);
    switch (type) {
      case 'policy.role-defined.v1':
        return { ...bundle, roles: roles.set(data.role.name, data.role) };
      case 'policy.role-deleted.v1':
        roles.delete(data.name);
        return { ...bundle, roles };
      case 'policy.bundle-published.v1':
        return { ...bundle, number: data.number };
    }
  },
};

function define(role: RoleDefinition, bundle: Bundle): BundleEvent[] {
  requireUsableRole(role);
  if (role.name === ADMIN_ROLE && role.management !== 'administer')
    throw new Refusal('role-built-in');
  const before = bundle.roles.get(role.name);
  if (before !== undefined && sameRole(before, role)) return [];
  return published(bundle, [defined(role)]);
}

function remove(name: string, bundle: Bundle): BundleEvent[] {
  if (name === ADMIN_ROLE) throw new Refusal('role-built-in');
  if (!bundle.roles.has(name)) throw new Refusal('role-unknown');
  return published(bundle, [{ type: 'policy.role-deleted.v1', data: { name } }]);
}

function defined(role: RoleDefinition): BundleEvent {
  return { type: 'policy.role-defined.v1', data: { role } };
}

/** The changes, followed by the bundle that they make. */
function published(before: Bundle, changes: readonly BundleEvent[]): BundleEvent[] {
  const after = changes.reduce((bundle, event) => bundleDecider.evolve(bundle, event), before);
  const roles = [...after.roles.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const data = { number: before.number + 1, roles };
  if (Buffer.byteLength(JSON.stringify(data)) > LARGEST_BUNDLE) {
    throw new Refusal('request-invalid', {
      detail: `all roles together would exceed the ${LARGEST_BUNDLE} bytes that a bundle may have`,
    });
  }
  return [...changes, { type: 'policy.bundle-published.v1', data }];
}

import type { RoleDefinition } from '@gatehouse/event-catalog';

/** The role that nobody can delete, nor strip of its right to administer the gate. */
export const ADMIN_ROLE = 'admin';

const everything = (mode: 'read' | 'write'): RoleDefinition['connectors'] => [
  { slug: '*', tools: { '*': mode } },
];

/**
 * The roles of the first bundle. A role is nothing until it is assigned, and none is assigned by default but `admin` to
 * the first administrator. All three cover only what registry has approved; only `admin` may change the gate itself.
 */
export const shippedRoles: readonly RoleDefinition[] = [
  {
    name: ADMIN_ROLE,
    description: 'Administers the gate and may call every approved tool.',
    management: 'administer',
    connectors: everything('write'),
  },
  {
    name: 'developer',
    description: 'May call every approved tool, those that change something too.',
    management: 'none',
    connectors: everything('write'),
  },
  {
    name: 'viewer',
    description: 'May call every approved tool that only reads.',
    management: 'none',
    connectors: everything('read'),
  },
];

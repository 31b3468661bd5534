import { adminMigrations } from '@gatehouse/admin';
import { auditMigrations } from '@gatehouse/audit';
import { identityMigrations } from '@gatehouse/identity';
import { platformMigrations, type MigrationPlan } from '@gatehouse/platform';
import { policyMigrations } from '@gatehouse/policy';
import { registryMigrations } from '@gatehouse/registry';

/** The database role of a schema: each schema is reached by its own and by no other. */
export function roleOf(schema: string): string {
  return `gatehouse_${schema}`;
}

/** Every schema of a Gatehouse, each with its own role. */
export function migrationPlans(password: string): readonly MigrationPlan[] {
  const schemas = [
    { schema: 'bus', folders: [platformMigrations.bus] },
    identityMigrations,
    policyMigrations,
    registryMigrations,
    auditMigrations,
    adminMigrations,
  ];
  return schemas.map(({ schema, folders }) => ({
    schema,
    folders,
    role: roleOf(schema),
    password,
  }));
}

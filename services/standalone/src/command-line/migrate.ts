import {
  clusterSections,
  configSection,
  loadConfig,
  migrate,
  readSecret,
  type MigrationReport,
} from '@gatehouse/platform';
import { z } from 'zod';
import { migrationPlans } from '../schemas.ts';
import { Failure } from './exit-codes.ts';
import { whyUnreachable } from '../why-unreachable.ts';

/** What `gatehouse migrate` needs to know. */
export const migrateConfig = configSection(
  'migrate',
  'The command `gatehouse migrate`, which brings the database of a cluster to head.',
  z.strictObject({
    ownerUrl: z
      .url({ protocol: /^postgres(ql)?$/ })
      .describe('The database, as the role that owns it and may create roles.')
      .meta({ env: 'GATEHOUSE_OWNER_URL' }),
    ownerPasswordFile: z
      .string()
      .optional()
      .describe('A file that holds the password for `ownerUrl`, where it is not in the URL.')
      .meta({ env: 'GATEHOUSE_OWNER_PASSWORD_FILE' }),
    rolePasswordFile: z
      .string()
      .describe("A file that holds the password which the services' roles are given.")
      .meta({ env: 'GATEHOUSE_ROLE_PASSWORD_FILE' }),
  }),
);

/** `gatehouse migrate`: forward only; run again, it changes nothing. With `contract` it also takes away what only older releases stand on. */
export async function migrateDatabase(options: { readonly contract: boolean }): Promise<void> {
  const { env } = process;
  const settings = loadConfig([migrateConfig], {
    env,
    file: env['GATEHOUSE_CONFIG'],
    otherEnv: ['GATEHOUSE_CONFIG'],
    otherSections: clusterSections,
  });
  const owner = new URL(settings.migrate.ownerUrl);
  const { ownerPasswordFile, rolePasswordFile } = settings.migrate;
  if (ownerPasswordFile !== undefined) {
    owner.password = encodeURIComponent(
      await readSecret(ownerPasswordFile, 'migrate.ownerPasswordFile'),
    );
  }
  const password = await readSecret(rolePasswordFile, 'migrate.rolePasswordFile');
  try {
    process.stdout.write(tell(await migrate(owner.href, migrationPlans(password), options)));
  } catch (error) {
    throw ofDatabase(error, owner);
  }
}

/** Names the database where it is the trouble: unreachable, or letting nobody in. What a migration met says so itself. */
function ofDatabase(error: unknown, { host, pathname }: URL): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = whyUnreachable(error) ?? (typeof code === 'string' ? message : undefined);
  if (why === undefined) return error;
  return new Failure(
    `the database at ${host}${pathname} (GATEHOUSE_OWNER_URL) cannot be used: ${why}`,
  );
}

function tell({ applied, contractsLeft }: MigrationReport): string {
  const lines = [
    applied.length > 0 && `Applied ${applied.join(', ')}.`,
    contractsLeft.length > 0 &&
      `Left for \`gatehouse migrate --contract\`, once no process of an older release runs: ${contractsLeft.join(', ')}.`,
  ].filter((line) => line !== false);
  return `${lines.length === 0 ? 'The database is at head.' : lines.join('\n')}\n`;
}

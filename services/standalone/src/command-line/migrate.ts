import { readFile } from 'node:fs/promises';
import { configSection, loadConfig, migrate, type MigrationReport } from '@gatehouse/platform';
import { z } from 'zod';
import { migrationPlans } from '../schemas.ts';

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
  });
  const owner = new URL(settings.migrate.ownerUrl);
  if (settings.migrate.ownerPasswordFile !== undefined) {
    owner.password = encodeURIComponent(
      (await readFile(settings.migrate.ownerPasswordFile, 'utf8')).trim(),
    );
  }
  const password = (await readFile(settings.migrate.rolePasswordFile, 'utf8')).trim();
  process.stdout.write(tell(await migrate(owner.href, migrationPlans(password), options)));
}

function tell({ applied, contractsLeft }: MigrationReport): string {
  const lines = [
    applied.length > 0 && `Applied ${applied.join(', ')}.`,
    contractsLeft.length > 0 &&
      `Left for \`gatehouse migrate --contract\`, once no process of an older release runs: ${contractsLeft.join(', ')}.`,
  ].filter((line) => line !== false);
  return `${lines.length === 0 ? 'The database is at head.' : lines.join('\n')}\n`;
}

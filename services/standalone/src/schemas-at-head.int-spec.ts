import { join } from 'node:path';
import { migrate } from '@gatehouse/platform';
import { describeSchema, freshDatabase, type FreshDatabase } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrationPlans } from './schemas.ts';

const plans = migrationPlans('only-in-tests');
let atOnce: FreshDatabase;
let inTwoSteps: FreshDatabase;

beforeAll(async () => {
  [atOnce, inTwoSteps] = [await freshDatabase(), await freshDatabase()];
  await migrate(atOnce.url, plans, { contract: true });
});

afterAll(async () => {
  await atOnce.drop();
  await inTwoSteps.drop();
});

describe('an empty database, migrated to head', () => {
  // A migration changes one of these files: commit it too, and a reviewer sees what comes of the SQL.
  it.each(plans)('has the schema $schema as committed', async ({ schema, folders }) => {
    await expect(await describeSchema(atOnce.url, schema)).toMatchFileSnapshot(
      join(folders.at(-1) ?? '', 'head.txt'),
    );
  });

  it('is the same where contract steps wait for the rest', async () => {
    await migrate(inTwoSteps.url, plans);
    const { contractsLeft } = await migrate(inTwoSteps.url, plans, { contract: true });
    expect(contractsLeft).toEqual([]);
    for (const { schema } of plans)
      expect(await describeSchema(inTwoSteps.url, schema)).toBe(
        await describeSchema(atOnce.url, schema),
      );
  });

  it('is left as it is by a second run', async () => {
    expect(await migrate(atOnce.url, plans, { contract: true })).toEqual({
      applied: [],
      contractsLeft: [],
    });
  });
});

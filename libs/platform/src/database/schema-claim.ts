import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../log/logger.ts';
import { noticingLoss } from './connection-settings.ts';
import { keyOf, migrationFiles, refuseWhatIsNewer, type MigrationFile } from './migration-files.ts';

/** A schema and the folders of SQL that bring it to where the code of this build needs it. */
export interface NeededSchema {
  readonly schema: string;
  readonly folders: readonly string[];
}

const RETRY_MS = 500;
const REMIND_MS = 30_000;
// A database that was never migrated, or by a build that let nobody look: no schema, no table, no permission.
const NOT_MIGRATED = new Set(['3F000', '42P01', '42501']);

/**
 * A process on a schema, as others can see it: while it lives it holds a lock that says how many contract steps its
 * build knows, and no step that it does not know can be taken meanwhile.
 */
export class SchemaClaim {
  readonly #needed: NeededSchema;
  readonly #settings: pg.ClientConfig;
  readonly #log: Logger;
  readonly #onHeld: (held: boolean) => void;
  #client: pg.Client | undefined;
  #taking: Promise<void> | undefined;
  #isRetaking = false;
  #closed = false;

  /** `settings` are those of the role that the process works as; `onHeld` hears whether it holds the schema. Nothing is connected yet. */
  constructor(
    needed: NeededSchema,
    settings: pg.ClientConfig,
    log: Logger,
    onHeld: (held: boolean) => void = () => undefined,
  ) {
    this.#needed = needed;
    this.#settings = settings;
    this.#log = log;
    this.#onHeld = onHeld;
  }

  /** Holds the schema from here on; throws, and holds nothing, while it is not as this build needs it. */
  async take(): Promise<void> {
    if (this.#client !== undefined) return;
    this.#taking ??= this.#connect().finally(() => {
      this.#taking = undefined;
    });
    await this.#taking;
  }

  async release(): Promise<void> {
    this.#closed = true;
    await this.#client?.end();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      ...noticingLoss(),
      ...this.#settings,
      application_name: `gatehouse-claim-${this.#needed.schema}`,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const files = await migrationFiles(this.#needed.folders);
      // First the lock, then the look: what was contracted before it is seen, and nothing is contracted after it.
      await client.query('select pg_advisory_lock_shared(hashtext($1), $2)', [
        lockName(this.#needed.schema),
        files.filter(({ contract }) => contract).length,
      ]);
      await refuseUnlessFit(client, this.#needed.schema, files);
    } catch (error) {
      await client.end();
      throw error;
    }
    if (this.#closed) return client.end();
    this.#client = client;
    client.once('end', () => this.#lost());
    this.#onHeld(true);
  }

  // The lock goes with its connection, as when the server restarts: whoever still runs takes it again.
  #lost(): void {
    this.#client = undefined;
    this.#onHeld(false);
    if (!this.#isRetaking) void this.#retake();
  }

  async #retake(): Promise<void> {
    this.#isRetaking = true;
    for (let told = -REMIND_MS; !this.#closed && this.#client === undefined;) {
      await sleep(RETRY_MS, undefined, { ref: false });
      try {
        await this.take();
      } catch (error) {
        if (performance.now() - told < REMIND_MS) continue;
        told = performance.now();
        this.#log.error(
          { schema: this.#needed.schema, reason: (error as Error).message },
          'this process does not hold its schema',
        );
      }
    }
    this.#isRetaking = false;
  }
}

/** For the transaction at hand: no process runs on the schema that knows fewer contract steps, and none can begin. Throws where one runs. */
export async function lockOutOlderProcesses(
  client: pg.Client,
  schema: string,
  contracts: number,
): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>(
    `select pg_try_advisory_xact_lock(hashtext($1), known) as locked
       from generate_series(0, $2::int - 1) as known`,
    [lockName(schema), contracts],
  );
  if (rows.some(({ locked }) => !locked))
    throw new Error(`a process of an older release still runs on the schema ${schema}`);
}

function lockName(schema: string): string {
  return `gatehouse.schema.${schema}`;
}

async function refuseUnlessFit(
  client: pg.Client,
  schema: string,
  files: readonly MigrationFile[],
): Promise<void> {
  const applied = await appliedFiles(client, schema);
  refuseWhatIsNewer(schema, files, applied);
  const missing = files.find((file) => !file.contract && !applied.includes(keyOf(file)));
  if (missing !== undefined)
    throw new Error(
      `the migration ${schema}/${missing.name} was not applied yet: run \`gatehouse migrate\``,
    );
}

async function appliedFiles(client: pg.Client, schema: string): Promise<readonly string[]> {
  try {
    const { rows } = await client.query<{ key: string }>(
      `select folder || '/' || file as key from gatehouse.migration where schema_name = $1`,
      [schema],
    );
    return rows.map(({ key }) => key);
  } catch (error) {
    if (!NOT_MIGRATED.has((error as pg.DatabaseError).code ?? '')) throw error;
    throw new Error(`the schema ${schema} was not migrated yet: run \`gatehouse migrate\``, {
      cause: error,
    });
  }
}

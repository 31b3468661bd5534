import {
  createSealingKeyIfAbsent,
  readSealingKey,
  type Platform,
  type SealingKey,
  type Worker,
} from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { v7 as uuidv7 } from 'uuid';
import { buildRecord } from './build-record.ts';
import type { Evidence, RecordDraft } from './evidence.ts';
import { SpoolRelay } from './relay-spool.ts';
import { SpoolFolder } from './spool-folder.ts';
import { countSynced, showSpool } from './spool-metrics.ts';
import { Spool, type SpoolHealth, type SpoolSettings } from './spool.ts';

export interface SpoolEvidenceSettings extends SpoolSettings {
  /** The key file that seals arguments; created where it is absent. */
  readonly keyFile: string;
  /** Longer arguments are recorded by length and digest only. */
  readonly maxArgumentsBytes: number;
}

interface Opened {
  readonly spool: Spool;
  readonly relay: SpoolRelay;
  readonly key: SealingKey;
}

/** Sound settings for a spool in this folder. */
export function spoolDefaults(directory: string, keyFile: string): SpoolEvidenceSettings {
  return {
    directory,
    keyFile,
    maxArgumentsBytes: 256 * 1024,
    segmentBytes: 16 * 1024 * 1024,
    backlogLimitBytes: 1024 ** 3,
    minFreeBytes: 128 * 1024 * 1024,
    retryAfterMs: 250,
  };
}

/** Evidence on the local disk, relayed to the bus in the background. Until it has started, and once it has stopped, every record is refused. */
export class SpoolEvidence implements Evidence, Worker {
  readonly name = 'evidence';
  readonly #platform: Platform;
  readonly #settings: SpoolEvidenceSettings;
  readonly #ready: ReturnType<Platform['readiness']['waitFor']>;
  #open: Opened | undefined;
  #stopShowing: (() => void) | undefined;

  constructor(platform: Platform, settings: SpoolEvidenceSettings) {
    this.#platform = platform;
    this.#settings = settings;
    this.#ready = platform.readiness.waitFor('evidence');
  }

  async start(): Promise<void> {
    const key = await this.#sealingKey();
    const spool = await Spool.open(this.#settings, this.#platform.log);
    spool.onSync(countSynced);
    const relay = new SpoolRelay(spool, this.#platform.bus, this.#platform.log);
    relay.start();
    this.#open = { spool, relay, key };
    this.#stopShowing = showSpool(this.#settings.directory, spool);
    this.#ready.done();
  }

  /** A key is made for a spool that is new, and for no other: one that was lost must not be replaced in silence. */
  async #sealingKey(): Promise<SealingKey> {
    const { directory, keyFile } = this.#settings;
    if (!(await SpoolFolder.isUsed(directory))) return createSealingKeyIfAbsent(keyFile);
    try {
      return await readSealingKey(keyFile);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new Error(
        `the sealing key ${keyFile} is missing, but the spool ${directory} was written with one: put the file back from a backup. ` +
          'If it is lost for good, the arguments that it has sealed can never be opened again; ' +
          `only then make a new one: (umask 077; head -c 32 /dev/urandom > ${keyFile})`,
        { cause: error },
      );
    }
  }

  async stop(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#stopShowing?.();
    this.#ready.again();
    await open?.relay.stop();
    await open?.spool.close();
  }

  /** How the spool does; undefined while it is not open. */
  health(): SpoolHealth | undefined {
    return this.#open?.spool.health();
  }

  refuseIfBroken(): void {
    this.#opened().spool.refuseIfBroken();
  }

  get inDoubt(): boolean {
    return this.#open?.spool.inDoubt ?? true;
  }

  async record(draft: RecordDraft): Promise<void> {
    const { spool, key } = this.#opened();
    const at = this.#platform.clock.now().toISOString();
    const { maxArgumentsBytes } = this.#settings;
    try {
      await spool.append((sequence) => {
        const stamp = { id: uuidv7(), source: spool.source, sequence, at };
        return Buffer.from(JSON.stringify(buildRecord(draft, stamp, key, maxArgumentsBytes)));
      });
    } catch (error) {
      if (error instanceof Refusal) throw error;
      this.#platform.log.error(
        { err: error },
        'a record could not be built: this is a bug, and the request is refused',
      );
      throw new Refusal('evidence-unavailable', {
        internal: (error as Error).message,
        cause: error,
      });
    }
  }

  #opened(): Opened {
    if (this.#open !== undefined) return this.#open;
    throw new Refusal('evidence-unavailable', { internal: 'the spool is not open' });
  }
}

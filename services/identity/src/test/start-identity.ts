import {
  identityCommands,
  isBeat,
  principalStateSchema,
  topics,
  type Actor,
  type CommandReceipt,
  type PrincipalState,
  type RequestOf,
  type ResultOf,
} from '@gatehouse/event-catalog';
import { host, OwnerClient, type Platform } from '@gatehouse/platform';
import { startTestPlatform, type TestPlatform } from '@gatehouse/platform/testing';
import { identityService } from '../identity.module.ts';
import { identityMigrations } from '../migrations.ts';

type Commands = typeof identityCommands;

/** A running identity service and what a gateway would know of its people. */
export interface RunningIdentity {
  readonly platform: Platform;
  readonly test: TestPlatform;
  readonly url: string;
  send<Name extends keyof Commands>(
    name: Name,
    command: RequestOf<Commands, Name>,
  ): Promise<CommandReceipt<ResultOf<Commands, Name>>>;
  /** The newest value on the state topic: undefined where there never was one, null after a tombstone. */
  state(key: string): PrincipalState | null | undefined;
  /** As `gatehouse rebuild identity`: stopped meanwhile, and started again. */
  rebuild(): Promise<void>;
  stop(): Promise<void>;
}

export interface IdentityOptions {
  readonly bootstrapAdmin?: boolean;
  readonly newRolePatienceMs?: number;
}

const ADA: Actor = { kind: 'user', id: 'ada', name: 'Ada' };

/** Hosts identity on a fresh database, reached by its public door only. */
export async function startIdentity({
  bootstrapAdmin = false,
  newRolePatienceMs = 0,
}: IdentityOptions = {}): Promise<RunningIdentity> {
  const test = await startTestPlatform({ schemas: [identityMigrations] });
  const { platform } = test;
  const compose = () => identityService(platform, { bootstrapAdmin, newRolePatienceMs });
  const start = async () => {
    const started = await host({ platform, services: [compose()], host: '127.0.0.1', port: 0 });
    test.serveAt(started.url);
    return started;
  };
  let hosted = await start();
  const known = new Map<string, PrincipalState | null>();
  const reader = await platform.bus.readAll(topics.principalsState, ({ key, value }) => {
    if (isBeat({ key })) return;
    const text = value?.toString('utf8');
    known.set(
      String(key),
      text === undefined ? null : principalStateSchema.parse(JSON.parse(text)),
    );
  });
  const client = new OwnerClient(platform);
  return {
    platform,
    test,
    get url() {
      return hosted.url;
    },
    send: (name, command) =>
      client.command('identity', identityCommands, name, command, {
        actor: ADA,
        correlationId: 'test',
      }),
    state: (key) => known.get(key),
    async rebuild() {
      await hosted.close();
      await compose().rebuild?.();
      hosted = await start();
    },
    async stop() {
      await reader.stop();
      await hosted.close();
      await test.stop();
    },
  };
}

import type { SASLOptions } from 'kafkajs';
import { z } from 'zod';
import type { KafkaConnection } from '../bus/kafka/kafka-client.ts';
import { ConfigError } from '../config/load-config.ts';
import { readSecret } from '../config/read-token.ts';

/** Where a bus is and how one signs in there. */
export interface BusAddress {
  /** `postgres://role@host/database`, or `kafka://host:port,host:port`; `kafkas://` for TLS, `user@` for SASL. */
  readonly url: string;
  /** Where it is not in the URL. */
  readonly password?: string | undefined;
  /** How Kafka is told the password; by SCRAM-SHA-512 where nothing is said. */
  readonly sasl?: SaslMechanism;
  /** For `kafkas://`: PEM texts. Whom to trust, where not those that Node trusts; and what to show of oneself. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

type SaslMechanism = 'scram-sha-512' | 'plain';

/** Where the event bus is. */
const busUrl = z
  .string()
  .regex(/^(postgres(ql)?|kafkas?):\/\/./, 'expected postgres://, kafka:// or kafkas://')
  .describe(
    'The event bus: `kafka://host:port,host:port` (`kafkas://` for TLS, `user@` to sign in by SASL), or a PostgreSQL database by the role `gatehouse_bus`.',
  );

const file = (what: string, env: string) => z.string().optional().describe(what).meta({ env });

/** The settings of whoever goes to the bus. */
export const busSettings = {
  busUrl: busUrl.meta({ env: 'GATEHOUSE_BUS_URL' }),
  busPasswordFile: file(
    'A file that holds the password for `busUrl`, where it is not in the URL.',
    'GATEHOUSE_BUS_PASSWORD_FILE',
  ),
  busSasl: z
    .enum(['scram-sha-512', 'plain'])
    .default('scram-sha-512')
    .describe('How the user in `busUrl` signs in at Kafka; `plain` over TLS alone.')
    .meta({ env: 'GATEHOUSE_BUS_SASL' }),
  busCaFile: file(
    "A PEM file with the authorities that may have signed the certificates of Kafka's brokers; by default those that Node trusts.",
    'GATEHOUSE_BUS_CA_FILE',
  ),
  busCertificateFile: file(
    "A PEM file with this process's own certificate, where Kafka asks for one; needs `busKeyFile`.",
    'GATEHOUSE_BUS_CERTIFICATE_FILE',
  ),
  busKeyFile: file(
    'A PEM file with the private key of `busCertificateFile`.',
    'GATEHOUSE_BUS_KEY_FILE',
  ),
};

/** Where the bus is, and how a process signs in to it. */
export interface BusSettings {
  readonly busUrl: string;
  readonly busPasswordFile?: string | undefined;
  readonly busSasl: SaslMechanism;
  readonly busCaFile?: string | undefined;
  readonly busCertificateFile?: string | undefined;
  readonly busKeyFile?: string | undefined;
}

/** The address that settings give, with what their files hold. What contradicts itself is refused: nobody shall believe in a protection that is not there. */
export async function readBusAddress(settings: BusSettings): Promise<BusAddress> {
  const complaints = contradictionsIn(settings);
  if (complaints.length > 0) throw new ConfigError(complaints);
  const read = async (
    name: 'busPasswordFile' | 'busCaFile' | 'busCertificateFile' | 'busKeyFile',
  ): Promise<string | undefined> => {
    const path = settings[name];
    return path === undefined ? undefined : readSecret(path, name);
  };
  const [password, ca, cert, key] = await Promise.all([
    read('busPasswordFile'),
    read('busCaFile'),
    read('busCertificateFile'),
    read('busKeyFile'),
  ]);
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return { url: settings.busUrl, password, sasl: settings.busSasl, tls };
}

function contradictionsIn(settings: BusSettings): string[] {
  const { busUrl: url, busPasswordFile, busSasl, busCertificateFile, busKeyFile } = settings;
  const complaints: string[] = [];
  if (!url.startsWith('kafkas://')) {
    for (const key of ['busCaFile', 'busCertificateFile', 'busKeyFile'] as const)
      if (settings[key] !== undefined)
        complaints.push(`${key}: it is for TLS, and busUrl does not begin with kafkas://`);
    if (busSasl === 'plain')
      complaints.push(
        `busSasl: plain shows the password to all, unless busUrl begins with kafkas://`,
      );
  }
  if ((busCertificateFile === undefined) !== (busKeyFile === undefined))
    complaints.push('busCertificateFile, busKeyFile: each needs the other');
  if (url.startsWith('kafka')) {
    const hasUser = url.includes('@');
    if (hasUser && busPasswordFile === undefined)
      complaints.push('busPasswordFile: the user in busUrl needs a password');
    if (!hasUser && busPasswordFile !== undefined)
      complaints.push('busPasswordFile: busUrl names no user (kafkas://user@host:port)');
  }
  return complaints;
}

/** The Kafka cluster that a `kafka://` or `kafkas://` URL names. Its several hosts make it no URL that the platform could parse. */
export function kafkaConnection({ url, password, sasl, tls }: BusAddress): KafkaConnection {
  const parts = /^(kafkas?):\/\/(?:([^@/]+)@)?([^@/?#]+)\/?$/.exec(url);
  const [, protocol, user, hosts] = parts ?? [];
  if (hosts === undefined)
    throw new Error(`not a Kafka address: expected kafka://host:port,host:port`);
  return {
    brokers: hosts.split(','),
    ...(protocol === 'kafkas' ? { ssl: { ...tls } } : {}),
    ...(user === undefined ? {} : { sasl: saslOf(sasl, decodeURIComponent(user), password ?? '') }),
  };
}

function saslOf(
  mechanism: SaslMechanism = 'scram-sha-512',
  username: string,
  password: string,
): SASLOptions {
  return mechanism === 'plain'
    ? { mechanism, username, password }
    : { mechanism, username, password };
}

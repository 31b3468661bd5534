import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { startThrowAwayKafka, type ThrowAwayKafka } from './throw-away-kafka.ts';

/** A throw-away broker that asks who comes, over TLS: by its certificate, its clients may know it as `localhost` and by no other name. */
export interface SecureKafka extends ThrowAwayKafka {
  /** Where one signs in with name and password, by SCRAM-SHA-512 or by PLAIN. */
  readonly signInPort: number;
  /** Where one shows a certificate that the broker's authority has signed. */
  readonly certificatePort: number;
  /** A user for each of the two ways to sign in, and the files that hold their passwords. */
  readonly scram: KafkaUser;
  readonly plain: KafkaUser;
  /** Who signed the broker's certificate, and somebody else. */
  readonly caFile: string;
  readonly strangersCaFile: string;
  readonly clientCertificateFile: string;
  readonly clientKeyFile: string;
  /** A file that holds no password of anybody. */
  readonly wrongPasswordFile: string;
}

/** A user of the broker, and the password that it signs in with. */
export interface KafkaUser {
  readonly name: string;
  readonly password: string;
  readonly passwordFile: string;
}

const run = promisify(execFile);
const MODULES = 'org.apache.kafka.common.security';

/** Starts one, with certificates that nobody has used before; whoever starts it must stop it. Needs openssl too. */
export async function startSecureKafka(): Promise<SecureKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-secure-kafka-'));
  const files = await makeCertificates(folder);
  const user = async (name: string): Promise<KafkaUser> => {
    const [password, passwordFile] = [`${name}-secret`, join(folder, `${name}.password`)];
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    return { name, password, passwordFile };
  };
  const [scram, plain] = [await user('scrammer'), await user('plainer')];
  const wrongPasswordFile = join(folder, 'wrong.password');
  await writeFile(wrongPasswordFile, 'not-it\n', { mode: 0o600 });
  const [signInPort, certificatePort] = [await freePort(), await freePort()];
  const kafka = await startThrowAwayKafka({
    scramUsers: [`SCRAM-SHA-512=[name=${scram.name},password=${scram.password}]`],
    settings: ({ port, controllerPort }) => [
      `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},SIGNIN://127.0.0.1:${signInPort},CERTIFICATE://127.0.0.1:${certificatePort}`,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${port},SIGNIN://localhost:${signInPort},CERTIFICATE://localhost:${certificatePort}`,
      'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SIGNIN:SASL_SSL,CERTIFICATE:SSL',
      'sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN',
      `listener.name.signin.scram-sha-512.sasl.jaas.config=${MODULES}.scram.ScramLoginModule required;`,
      `listener.name.signin.plain.sasl.jaas.config=${MODULES}.plain.PlainLoginModule required user_${plain.name}="${plain.password}";`,
      'ssl.keystore.type=PEM',
      `ssl.keystore.location=${files.keystore}`,
      'ssl.truststore.type=PEM',
      `ssl.truststore.location=${files.caFile}`,
      'listener.name.certificate.ssl.client.auth=required',
    ],
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    ...kafka,
    ...files,
    signInPort,
    certificatePort,
    scram,
    plain,
    wrongPasswordFile,
    async stop() {
      await kafka.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makeCertificates(folder: string): Promise<{
  keystore: string;
  caFile: string;
  strangersCaFile: string;
  clientCertificateFile: string;
  clientKeyFile: string;
}> {
  const file = (name: string): string => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const name of ['ca', 'strangers-ca'])
    // prettier-ignore
    await run('openssl', ['req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`,
      '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]);
  for (const [name, more] of [
    ['broker', ['-addext', 'subjectAltName=DNS:localhost']],
    ['client', []],
  ] as const)
    // prettier-ignore
    await run('openssl', ['req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`,
      '-CA', file('ca.pem'), '-CAkey', file('ca.key'), ...more, '-addext', 'basicConstraints=critical,CA:FALSE',
      '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]);
  const keystore = file('broker-keystore.pem');
  await copyFile(file('broker.key'), keystore);
  await writeFile(keystore, await readFile(file('broker.pem')), { flag: 'a' });
  return {
    keystore,
    caFile: file('ca.pem'),
    strangersCaFile: file('strangers-ca.pem'),
    clientCertificateFile: file('client.pem'),
    clientKeyFile: file('client.key'),
  };
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../config/load-config.ts';
import { kafkaConnection, readBusAddress, type BusSettings } from './bus-address.ts';

describe('the address of a Kafka cluster', () => {
  it('names one broker or several', () => {
    expect(kafkaConnection({ url: 'kafka://kafka:9092' })).toEqual({ brokers: ['kafka:9092'] });
    expect(kafkaConnection({ url: 'kafka://a:1,b:2,c:3/' })).toEqual({
      brokers: ['a:1', 'b:2', 'c:3'],
    });
  });

  it('asks for TLS and signs in, by SCRAM unless it is told otherwise', () => {
    const address = { url: 'kafkas://gate%40house@a:1', password: 's', tls: { ca: 'CA' } };
    expect(kafkaConnection(address)).toEqual({
      brokers: ['a:1'],
      ssl: { ca: 'CA' },
      sasl: { mechanism: 'scram-sha-512', username: 'gate@house', password: 's' },
    });
    expect(kafkaConnection({ ...address, sasl: 'plain' })).toMatchObject({
      sasl: { mechanism: 'plain', username: 'gate@house', password: 's' },
    });
  });

  it.each(['kafka://', 'kafka://a:1?x=1', 'kafka:a', 'kafkax://a:1'])(
    'is refused when it is %s',
    (url) => {
      expect(() => kafkaConnection({ url })).toThrow('not a Kafka address');
    },
  );
});

describe('the settings of a bus', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-bus-'));
    for (const name of ['password', 'ca', 'cert', 'key'])
      await writeFile(join(folder, name), `the ${name}\n`);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const file = (name: string): string => join(folder, name);
  const read = (settings: Partial<BusSettings> & { busUrl: string }) =>
    readBusAddress({ busSasl: 'scram-sha-512', ...settings });

  it('are read with what their files hold', async () => {
    const url = 'kafkas://gate@a:1';
    expect(
      await read({
        busUrl: url,
        busPasswordFile: file('password'),
        busCaFile: file('ca'),
        busCertificateFile: file('cert'),
        busKeyFile: file('key'),
      }),
    ).toEqual({
      url,
      password: 'the password',
      sasl: 'scram-sha-512',
      tls: { ca: 'the ca', cert: 'the cert', key: 'the key' },
    });
  });

  it.each<[string, Partial<BusSettings> & { busUrl: string }]>([
    ['authorities for what is no TLS', { busUrl: 'kafka://a:1', busCaFile: 'ca' }],
    ['a certificate without its key', { busUrl: 'kafkas://a:1', busCertificateFile: 'cert' }],
    ['a key without its certificate', { busUrl: 'kafkas://a:1', busKeyFile: 'key' }],
    [
      'a password that would go in clear',
      { busUrl: 'kafka://u@a:1', busSasl: 'plain', busPasswordFile: 'password' },
    ],
    ['a user without a password', { busUrl: 'kafkas://u@a:1' }],
    ['a password of nobody', { busUrl: 'kafkas://a:1', busPasswordFile: 'password' }],
    ['a file that is not there', { busUrl: 'kafkas://a:1', busCaFile: '/nowhere/ca.pem' }],
  ])('are refused with %s', async (_, settings) => {
    await expect(read(settings)).rejects.toThrow(ConfigError);
  });
});

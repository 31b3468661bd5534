import { createServer } from 'node:net';
import { Refusal } from '@gatehouse/problem-catalog';
import { freePort } from '@gatehouse/testing';
import pg from 'pg';
import { expect, it } from 'vitest';
import { refusedIfUnavailable } from './unavailable.ts';

function databaseError(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(`says ${code}`, 0, 'error'), { code });
}

function isRefused(error: unknown): boolean {
  const refused = refusedIfUnavailable(error);
  if (refused === error) return false;
  expect(refused).toBeInstanceOf(Refusal);
  expect(refused).toMatchObject({ code: 'service-unavailable', cause: error });
  return true;
}

async function failureAt(port: number): Promise<unknown> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'anybody',
    database: 'any',
    connectionTimeoutMillis: 50,
  });
  client.on('error', () => undefined);
  return client.connect().then(
    () => undefined,
    (error: unknown) => error,
  );
}

it.each([
  ['08006', true],
  ['53100', true],
  ['53300', true],
  ['57P01', true],
  ['57P03', true],
  ['58030', true],
  ['25006', true],
  ['25001', false],
  ['57014', false],
  ['23505', false],
  ['42501', false],
  ['40001', false],
])('SQLSTATE %s: the database is away is %s', (code, isAway) => {
  expect(isRefused(databaseError(code))).toBe(isAway);
});

it('knows a server that is not there, and one that says nothing', async () => {
  expect(isRefused(await failureAt(await freePort()))).toBe(true);
  const silent = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  expect(isRefused(await failureAt(port))).toBe(true);
  silent.close();
});

it('knows a socket that is not there', () => {
  const error = Object.assign(new Error('no such socket'), { code: 'ENOENT', syscall: 'connect' });
  expect(isRefused(error)).toBe(true);
});

it.each([
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'Query read timeout',
])('knows what pg says without a code: %s', (message) => {
  expect(isRefused(new Error(message))).toBe(true);
});

it.each([
  new Error('secret inside'),
  new TypeError('x is undefined'),
  Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' }),
  'a string',
])('lets %s be a bug', (error) => {
  expect(isRefused(error)).toBe(false);
});

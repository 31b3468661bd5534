import { readFile } from 'node:fs/promises';
import { ConfigError, whyUnreadable } from './load-config.ts';

const SHORTEST_TOKEN = 20;

/** The secret that a file holds; a ConfigError that names the file, and the setting that named it, where it cannot be read. */
export async function readSecret(file: string, setting?: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const named = setting === undefined ? '' : `${setting}: `;
    throw new ConfigError([`${named}${file}: ${whyUnreadable(error)}`]);
  }
}

/** The same for a token, which must not be short enough to guess. `setting` is the key that named the file. */
export async function readToken(file: string, setting: string): Promise<string> {
  const token = await readSecret(file, setting);
  if (token.length >= SHORTEST_TOKEN) return token;
  throw new ConfigError([`${setting}: the token has fewer than ${SHORTEST_TOKEN} characters`]);
}

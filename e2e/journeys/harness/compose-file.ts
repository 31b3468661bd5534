import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** One service of a Compose file, as far as we look at it. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: {
    readonly context: string;
    readonly dockerfile: string;
    readonly target?: string;
  };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] };
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks?: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, { readonly file: string }>>;
}

/** A Compose file at the root of the repo, with its anchors and merges resolved. */
export function readComposeFile(name: string): ComposeFile {
  const path = fileURLToPath(new URL(`../../../${name}`, import.meta.url));
  return parse(readFileSync(path, 'utf8'), { merge: true }) as ComposeFile;
}

/** Where a service sees its secrets: by name of the secret, the path in the container. */
export function secretsOf({ secrets = [] }: ComposeService): ReadonlyMap<string, string> {
  return new Map(
    secrets.map((secret) =>
      typeof secret === 'string'
        ? [secret, `/run/secrets/${secret}`]
        : [secret.source, secret.target],
    ),
  );
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dockerfile = readFileSync(
  fileURLToPath(new URL('../../../infra/docker/Dockerfile', import.meta.url)),
  'utf8',
);

/** What an image of infra/docker/Dockerfile has in its environment before anybody says more: what its stages set, one upon the other. */
export function environmentOfImage(target: string): Readonly<Record<string, string>> {
  const stages = new Map<string, Readonly<Record<string, string>>>();
  let stage = '';
  for (const line of dockerfile.replaceAll('\\\n', ' ').split('\n')) {
    const [, base, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (base !== undefined && name !== undefined) {
      stage = name;
      stages.set(stage, stages.get(base) ?? {});
    }
    if (!line.startsWith('ENV ')) continue;
    const said = [...line.matchAll(/(\w+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]);
    stages.set(stage, { ...stages.get(stage), ...Object.fromEntries(said) });
  }
  const environment = stages.get(target);
  if (environment === undefined) throw new Error(`the Dockerfile has no stage ${target}`);
  return environment;
}

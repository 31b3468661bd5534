import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dockerfile = readFileSync(
  fileURLToPath(new URL('../../../infra/docker/Dockerfile', import.meta.url)),
  'utf8',
);

/** One instruction of a Dockerfile: `COPY`, and what is to be copied whither. */
export interface Instruction {
  readonly keyword: string;
  readonly said: string;
}

/** What stands between one `FROM` and the next. */
export interface Stage {
  readonly name: string;
  /** Another stage, or an image from elsewhere. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of infra/docker/Dockerfile, by their names. */
export function stagesOfDockerfile(): ReadonlyMap<string, Stage> {
  const stages = new Map<string, Stage & { readonly instructions: Instruction[] }>();
  let stage: { readonly instructions: Instruction[] } | undefined;
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n');
  for (const line of lines.filter((text) => text.trim() !== '')) {
    const [, base, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (base !== undefined && name !== undefined) {
      stages.set(name, { name, base, instructions: [] });
      stage = stages.get(name);
      continue;
    }
    const [, keyword, said] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (stage === undefined || keyword === undefined || said === undefined)
      throw new Error(`not a line of a Dockerfile as we write it: ${line}`);
    stage.instructions.push({ keyword, said: said.trim().replaceAll(/\s+/g, ' ') });
  }
  return stages;
}

/** What an `ENV` sets. */
export function environmentSaid(said: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...said.matchAll(/(\w+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]),
  );
}

/** What an image of infra/docker/Dockerfile has in its environment before anybody says more: what its stages set, one upon the other. */
export function environmentOfImage(target: string): Readonly<Record<string, string>> {
  const stages = stagesOfDockerfile();
  const of = (stage: Stage | undefined): Readonly<Record<string, string>> =>
    stage === undefined
      ? {}
      : Object.assign(
          { ...of(stages.get(stage.base)) },
          ...stage.instructions
            .filter(({ keyword }) => keyword === 'ENV')
            .map(({ said }) => environmentSaid(said)),
        );
  if (!stages.has(target)) throw new Error(`the Dockerfile has no stage ${target}`);
  return of(stages.get(target));
}

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { hasHelm, renderChart } from '../journeys/harness/chart/rendered-chart.ts';
import { commandExists, loadAs } from './deployment.ts';
import { textOf } from './repo.ts';

interface Composed {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const page = textOf('docs/operations.md');
const composed = (
  parse(textOf('docker-compose.yml'), { merge: true }) as {
    readonly services: Readonly<Record<string, Composed>>;
  }
).services;

/** What `docker compose run` is told to run, on which service. */
const runs = [...page.matchAll(/^docker compose run --rm --no-deps (\S+) (.+)$/gm)].map(
  ([line, service = '', command = '']) => ({ line, service, command: command.split(' ') }),
);
/** What is run in a pod with nothing of its settings but those of the bus. */
const execs = [
  ...page.matchAll(
    /exec deploy\/gatehouse-(\w+) -- sh -c \\\n +'exec env -i PATH="\$PATH" \$\(env \| grep \^(\w+)\) gatehouse ([^']+)'/g,
  ),
].map(([, service = '', kept = '', command = '']) => ({
  service,
  kept,
  command: command.split(' '),
}));

// The page asks for it too. `.ci/run` brings it, and there nothing may skip itself.
const hasJq = spawnSync('jq', ['--version']).status === 0;

describe('the commands of the operations page', () => {
  test('are there for both forms', () => {
    const verbs = runs.map(({ command }) => command.slice(0, 2).join(' '));
    expect(verbs).toEqual(['topics park', 'topics replay', 'rebuild admin']);
    expect(execs.map(({ command }) => command.slice(0, 2).join(' '))).toEqual(verbs.slice(0, 2));
  });

  test.each(runs)('on Compose: $line finds its settings', ({ service, command }) => {
    const { environment, command: usual } = composed[service]!;
    const [verb = '', ...rest] = command;
    // A rebuild is of the service that is served there, with what it is served with.
    const served = ['serve', ...rest];
    expect(verb === 'rebuild' ? usual : served).toEqual(served);
    expect(commandExists(verb === 'rebuild' ? [verb] : command)).toBe(true);
    const read = verb === 'rebuild' ? usual : command;
    expect(() => loadAs(read, environment)).not.toThrow();
  });

  describe.skipIf(!hasHelm)('on Kubernetes', () => {
    const manifests = hasHelm
      ? renderChart('gatehouse', ['--set', 'bus.user=gatehouse', '--set', 'bus.tls=true'])
      : [];
    const podOf = (service: string) => {
      const named = manifests.filter(({ metadata }) => metadata.name === `gatehouse-${service}`);
      return named.find(({ spec }) => spec?.template !== undefined)!;
    };

    test.each(execs)(
      '$command finds its settings in a pod of $service',
      ({ service, kept, command }) => {
        const { env } = podOf(service).spec!.template!.spec.containers[0]!;
        const all = Object.fromEntries(env.map(({ name, value }) => [name, value]));
        const left = Object.fromEntries(
          Object.entries(all).filter(([name]) => name.startsWith(kept)),
        );
        expect(left).toHaveProperty('GATEHOUSE_BUS_PASSWORD_FILE');
        expect(commandExists(command)).toBe(true);
        expect(() => loadAs(command, left)).not.toThrow();
        expect(() => loadAs(command, all)).toThrow('unknown variable');
      },
    );

    test.skipIf(!hasJq).each(['admin', 'identity', 'policy', 'registry'])(
      'the Job that rebuilds %s has the settings, secrets and labels of its pod',
      (service) => {
        const pod = podOf(service);
        const filter = /\| jq '([^']+)'/.exec(page)![1]!;
        const { stdout } = spawnSync('jq', [filter], {
          input: JSON.stringify(pod),
          encoding: 'utf8',
        });
        const { template } = (JSON.parse(stdout) as typeof pod).spec!;
        const [before, after] = [pod.spec!.template!, template!];
        const container = after.spec.containers[0]!;
        expect(container.args).toEqual(['rebuild', service]);
        expect(container.env).toEqual(before.spec.containers[0]!.env);
        expect(after.metadata.labels).toEqual(before.metadata.labels);
        const volumes = after.spec.volumes.map(({ name }) => name).toSorted();
        expect(volumes).toEqual(container.volumeMounts.map(({ name }) => name).toSorted());
        // Ready it never is, so nobody calls it; but alive it would have to be.
        expect(Object.keys(container)).toContain('readinessProbe');
        expect(Object.keys(container)).not.toContain('livenessProbe');
      },
    );
  });
});

import { describe, expect, test } from 'vitest';
import { exists, filesUnder, projectsOf, textOf } from './repo.ts';

const services = projectsOf('services').filter((name) => name !== 'standalone');

describe('deployables', () => {
  test.each(services)(
    '%s runs alone by its main.ts, and its door exports its service and its settings',
    (service) => {
      expect(exists(`services/${service}/src/main.ts`)).toBe(true);
      const door = textOf(`services/${service}/src/index.ts`);
      expect(door).toMatch(new RegExp(`\\b${service}Service\\b`));
      expect(door).toMatch(new RegExp(`\\b${service}Config\\b`));
    },
  );

  test.each(services)('standalone hosts %s, as the cluster does', (service) => {
    const standalone = filesUnder('services/standalone/src').map(textOf).join('\n');
    expect(standalone).toMatch(new RegExp(`\\b${service}Service\\(`));
  });

  test.each([
    ...projectsOf('libs').map((name) => `libs/${name}`),
    ...projectsOf('services').map((name) => `services/${name}`),
  ])(
    '%s is built by the one list of projects, has one door, and brings no config of its own',
    (project) => {
      const listed = (JSON.parse(textOf('tsconfig.json')) as { references: { path: string }[] })
        .references;
      expect(listed.map(({ path }) => path)).toContain(`./${project}`);
      expect(exists(`${project}/src/index.ts`)).toBe(true);
      expect(
        filesUnder(project).filter((path) =>
          /(oxlintrc|oxfmtrc|vitest\.config|eslint|prettier|jest)/.test(path),
        ),
      ).toEqual([]);
    },
  );
});

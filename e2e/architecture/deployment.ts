import {
  loadConfig,
  metricsConfig,
  processConfig,
  tracingConfig,
  type ConfigSection,
} from '@gatehouse/platform';
import { migrateConfig, sections, topicsConfig } from '@gatehouse/standalone';
import { environmentOfImage } from '../journeys/harness/image.ts';
import { projectsOf, textOf } from './repo.ts';

/** The services that a cluster runs, each as processes of its own. */
export const deployedServices = projectsOf('services').filter((name) => name !== 'standalone');

const onceOnly: Readonly<Record<string, ConfigSection>> = {
  migrate: migrateConfig,
  topics: topicsConfig,
};

/** The sections of settings that a `gatehouse` command reads. */
export function sectionsOf([verb = '', service]: readonly string[]): readonly ConfigSection[] {
  const once = onceOnly[verb];
  if (once !== undefined) return [once];
  const own = sections.find(({ name }) => name === service);
  if (verb !== 'serve' || own === undefined) throw new Error(`no settings of ${verb} ${service}`);
  return [processConfig, metricsConfig, tracingConfig, own];
}

/** Reads this environment, and that of the image, as the command would: throws on what it does not know, and on what it misses. */
export function loadAs(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  file?: string,
): void {
  loadConfig(sectionsOf(command), {
    env: { ...environmentOfImage('service'), ...env },
    file,
    otherEnv: ['GATEHOUSE_CONFIG'],
  });
}

/** Whether the command line has this command, with these sub-commands and arguments. */
export function commandExists([verb = '', argument]: readonly string[]): boolean {
  const commandLine = textOf('services/standalone/src/command-line/main.ts');
  if (!commandLine.includes(`.command('${verb}')`)) return false;
  if (verb === 'serve') return deployedServices.includes(argument ?? '');
  return argument === undefined || commandLine.includes(`.command('${argument}')`);
}

/** Those variables that hold a secret themselves, where they should name a file that does. */
export function secretsIn(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env)
    .filter(
      ([name, value]) =>
        (/PASSWORD|TOKEN|SECRET|_KEY/.test(name) && !/_FILES?$/.test(name)) ||
        /^[a-z]+:\/\/[^/@]*:[^/@]*@/.test(value),
    )
    .map(([name]) => name);
}

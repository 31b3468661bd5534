import { adminConfig } from '@gatehouse/admin';
import { auditConfig } from '@gatehouse/audit';
import { gatewayConfig } from '@gatehouse/gateway';
import { identityConfig } from '@gatehouse/identity';
import { loadConfig, metricsConfig, tracingConfig, type LoadedConfig } from '@gatehouse/platform';
import { policyConfig } from '@gatehouse/policy';
import { registryConfig } from '@gatehouse/registry';
import { standaloneConfig } from './standalone.config.ts';

/** Every section that a standalone process reads. */
export const sections = [
  standaloneConfig,
  metricsConfig,
  tracingConfig,
  gatewayConfig,
  identityConfig,
  policyConfig,
  registryConfig,
  auditConfig,
  adminConfig,
] as const;

/** The loaded settings of all that runs in one process. */
export type Settings = LoadedConfig<typeof sections>;

/** The settings from the file that `GATEHOUSE_CONFIG` names (none otherwise) and the environment; throws ConfigError. */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  return loadConfig(sections, {
    env,
    file: env['GATEHOUSE_CONFIG'],
    otherEnv: ['GATEHOUSE_CONFIG'],
  });
}

export { registryConfig, type RegistryConfig } from './registry.config.ts';
export { registryDeployable, registryMigrations, registryService } from './registry.module.ts';

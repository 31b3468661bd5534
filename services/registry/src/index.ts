export { registryConfig, type RegistryConfig } from './registry.config.ts';
export { registryMigrations, registryService } from './registry.module.ts';

import { registryDeployable } from './registry.module.ts';

await registryDeployable.run(process.env);

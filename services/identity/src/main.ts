import { identityDeployable } from './identity.module.ts';

await identityDeployable.run(process.env);

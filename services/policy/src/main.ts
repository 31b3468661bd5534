import { policyDeployable } from './policy.module.ts';

await policyDeployable.run(process.env);

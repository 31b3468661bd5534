import { adminDeployable } from './admin.module.ts';

await adminDeployable.run(process.env);

import { auditDeployable } from './audit.module.ts';

await auditDeployable.run(process.env);

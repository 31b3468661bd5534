import { gatewayDeployable } from './gateway.module.ts';

await gatewayDeployable.run(process.env);

import { runService } from '@gatehouse/platform';
import { gatewayConfig } from './gateway.config.ts';
import { gatewayService } from './gateway.module.ts';

await runService({ name: 'gateway', section: gatewayConfig, compose: gatewayService }, process.env);

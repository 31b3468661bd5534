/** The gateway as a process hosts it: its workers in order, and the raw handler that serves MCP. */
export { gatewayDeployable, gatewayService } from './gateway.module.ts';
/** The settings of the gateway. */
export { gatewayConfig, type GatewayConfig } from './gateway.config.ts';

import { adminConfig, adminService } from '@gatehouse/admin';
import { auditConfig, auditService } from '@gatehouse/audit';
import { gatewayConfig, gatewayService } from '@gatehouse/gateway';
import { identityConfig, identityService } from '@gatehouse/identity';
import { runService } from '@gatehouse/platform';
import { policyConfig, policyService } from '@gatehouse/policy';
import { registryConfig, registryService } from '@gatehouse/registry';
import { exitCodes, Failure } from './exit-codes.ts';

const services: Readonly<Record<string, (env: NodeJS.ProcessEnv) => Promise<void>>> = {
  identity: (env) =>
    runService({ name: 'identity', section: identityConfig, compose: identityService }, env),
  policy: (env) =>
    runService({ name: 'policy', section: policyConfig, compose: policyService }, env),
  registry: (env) =>
    runService({ name: 'registry', section: registryConfig, compose: registryService }, env),
  audit: (env) => runService({ name: 'audit', section: auditConfig, compose: auditService }, env),
  admin: (env) => runService({ name: 'admin', section: adminConfig, compose: adminService }, env),
  gateway: (env) =>
    runService({ name: 'gateway', section: gatewayConfig, compose: gatewayService }, env),
};

/** `gatehouse serve <service>`: the same as the service's own main.js. */
export async function serve(name: string): Promise<void> {
  const run = services[name];
  if (run === undefined) throw new Failure(`there is no service ${name}`, exitCodes.usage);
  await run(process.env);
}

import { runService } from '@gatehouse/platform';
import { exitCodes, Failure } from './exit-codes.ts';

type Run = (env: NodeJS.ProcessEnv) => Promise<void>;

// A process that hosts one service loads no other: a cluster of small processes would pay for it in memory, each anew.
const services: Readonly<Record<string, Run>> = {
  async identity(env) {
    const { identityConfig, identityService } = await import('@gatehouse/identity');
    await runService({ name: 'identity', section: identityConfig, compose: identityService }, env);
  },
  async policy(env) {
    const { policyConfig, policyService } = await import('@gatehouse/policy');
    await runService({ name: 'policy', section: policyConfig, compose: policyService }, env);
  },
  async registry(env) {
    const { registryConfig, registryService } = await import('@gatehouse/registry');
    await runService({ name: 'registry', section: registryConfig, compose: registryService }, env);
  },
  async audit(env) {
    const { auditConfig, auditService } = await import('@gatehouse/audit');
    await runService({ name: 'audit', section: auditConfig, compose: auditService }, env);
  },
  async admin(env) {
    const { adminConfig, adminService } = await import('@gatehouse/admin');
    await runService({ name: 'admin', section: adminConfig, compose: adminService }, env);
  },
  async gateway(env) {
    const { gatewayConfig, gatewayService } = await import('@gatehouse/gateway');
    await runService({ name: 'gateway', section: gatewayConfig, compose: gatewayService }, env);
  },
};

/** `gatehouse serve <service>`: the same as the service's own main.js. */
export async function serve(name: string): Promise<void> {
  const run = services[name];
  if (run === undefined) throw new Failure(`there is no service ${name}`, exitCodes.usage);
  await run(process.env);
}

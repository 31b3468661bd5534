import { describe, expect, test } from 'vitest';
import { selects } from '../journeys/harness/chart/network-rules.ts';
import {
  hasHelm,
  KUBERNETES,
  renderChart,
  runHelm,
  type AutoscalerSpec,
  type BudgetSpec,
  type HelmResult,
  type Manifest,
} from '../journeys/harness/chart/rendered-chart.ts';
import { asFlags, installations } from './chart-installations.ts';
import { deployedServices } from './deployment.ts';

// How many of each there are: by load, and while a node of the cluster is drained.
describe.skipIf(!hasHelm).each(installations)('the pods of the chart, %s', (way, sets) => {
  const manifests = hasHelm ? renderChart('gate', asFlags(sets)) : [];
  const workloads = manifests.filter(({ kind }) => /^(?:Deployment|StatefulSet)$/.test(kind));
  const specsOf = <Spec>(kind: string): Spec[] =>
    manifests.filter((it) => it.kind === kind).map(({ spec }) => spec as unknown as Spec);
  const scalers = specsOf<AutoscalerSpec>('HorizontalPodAutoscaler');
  const scalersOf = ({ apiVersion, kind, metadata: { name } }: Manifest): AutoscalerSpec[] =>
    scalers.filter(
      ({ scaleTargetRef: target }) =>
        target.apiVersion === apiVersion && target.kind === kind && target.name === name,
    );
  /** The fewest that there are when nothing is wrong. */
  const leastOf = (workload: Manifest): number =>
    scalersOf(workload)[0]?.minReplicas ?? workload.spec?.replicas ?? 1;

  test('are of every service, two at the least', () => {
    expect(workloads).toHaveLength(deployedServices.length);
    for (const workload of workloads) expect(leastOf(workload)).toBeGreaterThanOrEqual(2);
  });

  test('are scaled by load where they are gates, unless it is told how many there are', () => {
    const scaled = workloads.filter((workload) => scalersOf(workload).length > 0);
    const names = scaled.map(({ metadata }) => metadata.name);
    const byLoad = way === 'as it comes';
    expect(names).toEqual(byLoad ? ['gate-gatehouse-gateway'] : []);
    // Each has its aim among the workloads, and none two.
    expect(scalers).toHaveLength(scaled.length);
    // A number would undo at each upgrade what the autoscaler has done.
    for (const { spec } of scaled) expect(spec).not.toHaveProperty('replicas');
    const told = workloads.filter((workload) => !scaled.includes(workload));
    for (const { spec } of told) expect(spec?.replicas).toBe(2);
  });

  test('are scaled by what the cluster can measure, between bounds that leave room', () => {
    for (const { minReplicas, maxReplicas, metrics, behavior } of scalers) {
      expect(minReplicas).toBeGreaterThanOrEqual(2);
      expect(maxReplicas).toBeGreaterThan(minReplicas!);
      const target = { type: 'Utilization', averageUtilization: 70 };
      expect(metrics).toEqual([{ type: 'Resource', resource: { name: 'cpu', target } }]);
      // Who loses a node begins a new session: so one at a time.
      expect(behavior).toMatchObject({ scaleDown: { policies: [{ type: 'Pods', value: 1 }] } });
    }
    // The utilization is a share of what is requested: of a container that requests nothing there is none, and nothing scales.
    const scaled = workloads.filter((workload) => scalersOf(workload).length > 0);
    for (const { resources } of scaled.flatMap(({ spec }) => spec!.template!.spec.containers))
      expect(resources.requests?.cpu).toMatch(/^[1-9]\d*m$/);
  });

  test('are given up one by one to a drain, which can go on, and never all of a service', () => {
    const budgets = specsOf<BudgetSpec>('PodDisruptionBudget');
    expect(budgets).toHaveLength(workloads.length);
    for (const workload of workloads) {
      const { labels } = workload.spec!.template!.metadata;
      const [budget, ...others] = budgets.filter(({ selector }) => selects(selector, labels));
      // Kubernetes evicts no pod that two budgets mean.
      expect([workload.metadata.name, others]).toEqual([workload.metadata.name, []]);
      const least = leastOf(workload);
      const givenUp = givenUpOf(budget!, least);
      expect(givenUp).toBeGreaterThanOrEqual(1);
      expect(givenUp).toBeLessThan(least);
      // Else a drain waits for pods that are not ready, as long as what they wait for is away.
      expect(budget?.unhealthyPodEvictionPolicy).toBe('AlwaysAllow');
    }
  });
});

/** How many of so many a budget lets a drain take at once; Kubernetes rounds shares up. */
function givenUpOf({ minAvailable, maxUnavailable }: BudgetSpec, count: number): number {
  const numberOf = (said: number | string): number =>
    typeof said === 'number' ? said : Math.ceil((count * Number.parseFloat(said)) / 100);
  expect([minAvailable, maxUnavailable].filter((said) => said !== undefined)).toHaveLength(1);
  return maxUnavailable === undefined
    ? count - numberOf(minAvailable!)
    : Math.min(count, numberOf(maxUnavailable));
}

describe.skipIf(!hasHelm)('Helm refuses an autoscaler', () => {
  test.each([
    [
      'without a CPU that gates request, which it could never measure',
      ['gateway.resources.requests.cpu=null'],
      "missing property 'cpu'",
    ],
    [
      'whose bounds are the wrong way round',
      ['gateway.autoscaling.minReplicas=4', 'gateway.autoscaling.maxReplicas=3'],
      'gateway.autoscaling.maxReplicas is less than minReplicas',
    ],
  ])('%s', (_, sets, reason) => {
    const render = (...its: readonly string[]): HelmResult =>
      runHelm('template', ['gate'], ['--kube-version', KUBERNETES, ...asFlags(its)]);
    const { status, stderr } = render(...sets);
    expect([status, stderr]).toEqual([1, expect.stringContaining(reason)]);
    expect(render(...sets, 'gateway.autoscaling.enabled=false').status).toBe(0);
  });
});

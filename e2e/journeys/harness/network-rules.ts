import type { LocalPod } from './local-pod.ts';
import type { Labels, Manifest, Peer } from './rendered-chart.ts';

/** Whether everything that is asked for is among these labels. */
export function meets(labels: Labels, asked: Labels): boolean {
  return Object.entries(asked).every(([key, value]) => labels[key] === value);
}

/** Whether the NetworkPolicies of the chart let a pod call this port of this machine: one of another pod, or of something outside. */
export function mayCall(
  manifests: readonly Manifest[],
  pods: readonly LocalPod[],
  caller: LocalPod,
  port: number,
): boolean {
  const rulesFor = ({ labels }: LocalPod): readonly Manifest['spec'][] =>
    manifests
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .map(({ spec }) => spec)
      .filter((spec) => meets(labels, spec?.podSelector?.matchLabels ?? {}));
  const called = pods.find((pod) => pod.port === port);
  const isOneOf = (peers: readonly Peer[], pod: LocalPod): boolean =>
    peers.some(({ podSelector, namespaceSelector }) =>
      podSelector === undefined
        ? namespaceSelector !== undefined
        : meets(pod.labels, podSelector.matchLabels),
    );
  const isLetOut = rulesFor(caller)
    .flatMap((spec) => spec?.egress ?? [])
    .filter(({ ports }) => ports.some((its) => its.port === (called?.declaredPort ?? port)))
    .some(({ to }) => (called === undefined ? to === undefined : isOneOf(to ?? [], called)));
  if (called === undefined) return isLetOut;
  return (
    isLetOut &&
    rulesFor(called)
      .flatMap((spec) => spec?.ingress ?? [])
      .some(
        ({ from, ports }) =>
          isOneOf(from, caller) && ports.some((its) => its.port === called.declaredPort),
      )
  );
}

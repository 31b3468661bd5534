import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const CHART = fileURLToPath(new URL('../../../../infra/helm/gatehouse', import.meta.url));
/** The version of Kubernetes that the chart is rendered for, and held to. */
export const KUBERNETES = '1.34.0';

export type Labels = Readonly<Record<string, string>>;
interface Metadata {
  readonly name: string;
  readonly labels?: Labels;
  readonly annotations?: Readonly<Record<string, string>>;
}
/** Files that a Secret brings, by its keys. */
export interface SecretItems {
  readonly items: readonly { readonly key: string; readonly path: string }[];
}
export interface Volume {
  readonly name: string;
  readonly emptyDir?: unknown;
  readonly configMap?: { readonly name: string };
  readonly secret?: SecretItems & { readonly secretName: string; readonly defaultMode: number };
  readonly projected?: {
    readonly defaultMode: number;
    readonly sources: readonly { readonly secret: SecretItems & { readonly name: string } }[];
  };
}
interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly VolumeMount[];
  readonly securityContext: unknown;
  readonly resources: {
    readonly requests?: { readonly cpu?: string | number };
    readonly limits: { readonly memory: string };
  };
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}
interface Pod {
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly securityContext: unknown;
  readonly restartPolicy?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}
export interface PodTemplate {
  readonly metadata: { readonly labels: Labels };
  readonly spec: Pod;
}
/** Whom something is about, by labels. */
export interface Selector {
  readonly matchLabels?: Labels | null;
  readonly matchExpressions?:
    | readonly {
        readonly key: string;
        readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
        readonly values?: readonly string[];
      }[]
    | null;
}
/** Addresses, by their range. */
export interface IpBlock {
  readonly cidr: string;
  readonly except?: readonly string[];
}
/** What a NetworkPolicy speaks of. */
export interface Peer {
  readonly podSelector?: Selector | null;
  readonly namespaceSelector?: Selector | null;
  readonly ipBlock?: IpBlock | null;
}
/** A port of a NetworkPolicy: all of its protocol where it has none, TCP where it has no protocol. */
export interface PolicyPort {
  readonly protocol?: string;
  readonly port?: number | string | null;
  readonly endPort?: number;
}
/** What a NetworkPolicy says; YAML knows many ways of saying nothing. */
export interface NetworkPolicySpec {
  readonly podSelector?: Selector | null;
  readonly policyTypes?: readonly ('Ingress' | 'Egress')[] | null;
  readonly ingress?:
    | readonly ({
        readonly from?: readonly Peer[] | null;
        readonly ports?: readonly PolicyPort[] | null;
      } | null)[]
    | null;
  readonly egress?:
    | readonly ({
        readonly to?: readonly Peer[] | null;
        readonly ports?: readonly PolicyPort[] | null;
      } | null)[]
    | null;
}
/** A thing of Kubernetes, as far as we look at it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly podManagementPolicy?: string;
    readonly podSelector?: Selector;
    readonly selector?: Selector;
    readonly template?: PodTemplate;
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}
/** What a HorizontalPodAutoscaler says. */
export interface AutoscalerSpec {
  readonly scaleTargetRef: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
  };
  readonly minReplicas?: number;
  readonly maxReplicas: number;
  readonly metrics?: unknown;
  readonly behavior?: unknown;
}
/** What a PodDisruptionBudget says. */
export interface BudgetSpec {
  readonly selector?: Selector | null;
  readonly minAvailable?: number | string;
  readonly maxUnavailable?: number | string;
  readonly unhealthyPodEvictionPolicy?: string;
}
/** What a Service says. */
export interface ServiceSpec {
  readonly selector: Labels;
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly targetPort: string;
  }[];
}
/** What an Ingress says. */
export interface IngressSpec {
  readonly rules: readonly {
    readonly http: {
      readonly paths: readonly {
        readonly path: string;
        readonly pathType: string;
        readonly backend: {
          readonly service: { readonly name: string; readonly port: { readonly name: string } };
        };
      }[];
    };
  }[];
}

const helm = process.env['HELM'] ?? 'helm';
/** Whether Helm is at hand, on PATH or at HELM. */
export const hasHelm = spawnSync(helm, ['version']).status === 0;

/** What a run of Helm left. */
export interface HelmResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of Helm on the chart; `release` where the command asks for one. */
export function runHelm(
  command: string,
  release: readonly string[],
  flags: readonly string[],
): HelmResult {
  return spawnSync(helm, [command, ...release, CHART, ...flags], { encoding: 'utf8' });
}

/** What Helm makes of the chart with these flags, hooks included. */
export function renderChart(release: string, flags: readonly string[]): readonly Manifest[] {
  const { status, stdout, stderr } = runHelm(
    'template',
    [release],
    ['--kube-version', KUBERNETES, ...flags],
  );
  if (status !== 0) throw new Error(stderr);
  // Kubernetes reads as YAML 1.1: `0440` is octal, and `no` is no text.
  return parseAllDocuments(stdout, { version: '1.1' }).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.join('\n'));
    return (document.toJS() as Manifest | null) ?? [];
  });
}

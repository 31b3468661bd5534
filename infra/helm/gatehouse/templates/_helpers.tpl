{{- define "gatehouse.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Labels of everything; of one service where it is called with (dict "root" $ "service" name). */}}
{{- define "gatehouse.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{ include "gatehouse.selector" . }}
{{- end }}

{{- define "gatehouse.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .service }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "gatehouse.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "gatehouse.bus" -}}
{{ if .Values.bus.tls }}kafkas{{ else }}kafka{{ end }}://{{ with .Values.bus.user }}{{ . }}@{{ end }}{{ join "," .Values.bus.brokers }}
{{- end }}

{{/* The port of the collector of traces, said or not. */}}
{{- define "gatehouse.tracingPort" -}}
{{- $url := urlParse .Values.tracing.endpoint -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "https" | ternary "443" "80") -}}
{{- end }}

{{/* What one signs in with at the bus, and whom one trusts there: files below /secrets, and the settings that name them. */}}
{{- define "gatehouse.busSecrets" -}}
{{- $secrets := .Values.secrets -}}
{{- if .Values.bus.user }}
- secret:
    name: {{ $secrets.bus.name }}
    items: [{ key: {{ $secrets.bus.key }}, path: bus-password }]
{{- end }}
{{- with $secrets.busCa }}
{{- if .name }}
- secret:
    name: {{ .name }}
    items: [{ key: {{ .key }}, path: bus-ca }]
{{- end }}
{{- end }}
{{- with $secrets.busCertificate }}
{{- if .name }}
- secret:
    name: {{ .name }}
    items: [{ key: tls.crt, path: bus-certificate }, { key: tls.key, path: bus-key }]
{{- end }}
{{- end }}
{{- end }}

{{- define "gatehouse.busEnv" -}}
- { name: GATEHOUSE_BUS_URL, value: {{ include "gatehouse.bus" . | quote }} }
{{- if .Values.bus.user }}
- { name: GATEHOUSE_BUS_SASL, value: {{ .Values.bus.sasl }} }
- { name: GATEHOUSE_BUS_PASSWORD_FILE, value: /secrets/bus-password }
{{- end }}
{{- if .Values.secrets.busCa.name }}
- { name: GATEHOUSE_BUS_CA_FILE, value: /secrets/bus-ca }
{{- end }}
{{- if .Values.secrets.busCertificate.name }}
- { name: GATEHOUSE_BUS_CERTIFICATE_FILE, value: /secrets/bus-certificate }
- { name: GATEHOUSE_BUS_KEY_FILE, value: /secrets/bus-key }
{{- end }}
{{- end }}

{{- define "gatehouse.database" -}}
postgres://{{ .role }}@{{ .root.Values.database.host }}:{{ .root.Values.database.port }}/{{ .root.Values.database.name }}{{ with .root.Values.database.parameters }}?{{ . }}{{ end }}
{{- end }}

{{/* What every pod is held to. Services of Kubernetes would be named in GATEHOUSE_… variables, which are refused. */}}
{{- define "gatehouse.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "gatehouse.containerSecurity" -}}
image: {{ include "gatehouse.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: { drop: [ALL] }
{{- end }}

{{/* A container that serves. It is alive as long as it answers, and ready when it has all that it waits for. */}}
{{- define "gatehouse.serve" -}}
{{- $gateway := eq .service "gateway" -}}
name: {{ .service }}
{{ include "gatehouse.containerSecurity" .root }}
args: [serve, {{ .service }}]
ports:
  - { name: http, containerPort: 8080 }
env:
  - { name: GATEHOUSE_CONFIG, value: /etc/gatehouse/{{ .service }}.yaml }
  - { name: GATEHOUSE_HOST, value: 0.0.0.0 }
  - { name: GATEHOUSE_PORT, value: '8080' }
  - { name: GATEHOUSE_DATA, value: /data }
  - { name: GATEHOUSE_LOG_LEVEL, value: {{ .root.Values.logLevel }} }
  {{- include "gatehouse.busEnv" .root | nindent 2 }}
  - { name: GATEHOUSE_SERVICE_TOKEN_FILE, value: /secrets/service-token }
  {{- if .root.Values.secrets.metricsToken.name }}
  - { name: GATEHOUSE_METRICS_TOKEN_FILE, value: /secrets/metrics-token }
  {{- end }}
  {{- with .root.Values.tracing.endpoint }}
  - { name: GATEHOUSE_TRACING_ENDPOINT, value: {{ . | quote }} }
  - { name: GATEHOUSE_TRACING_SAMPLE_RATIO, value: {{ $.root.Values.tracing.sampleRatio | quote }} }
  {{- if $.root.Values.secrets.tracingHeaders.name }}
  - { name: GATEHOUSE_TRACING_HEADERS_FILE, value: /secrets/tracing-headers }
  {{- end }}
  {{- end }}
  {{- if not $gateway }}
  - { name: GATEHOUSE_DATABASE_URL, value: {{ include "gatehouse.database" (dict "root" .root "role" (printf "gatehouse_%s" .service)) | quote }} }
  - { name: GATEHOUSE_DATABASE_PASSWORD_FILE, value: /secrets/role-password }
  {{- end }}
  {{- if eq .service "audit" }}
  - { name: GATEHOUSE_AUDIT_KEY_FILES, value: /secrets/sealing-key }
  {{- end }}
  {{- if eq .service "admin" }}
  - { name: GATEHOUSE_IDENTITY_URL, value: http://{{ include "gatehouse.fullname" .root }}-identity:8080 }
  - { name: GATEHOUSE_POLICY_URL, value: http://{{ include "gatehouse.fullname" .root }}-policy:8080 }
  - { name: GATEHOUSE_REGISTRY_URL, value: http://{{ include "gatehouse.fullname" .root }}-registry:8080 }
  - { name: GATEHOUSE_AUDIT_URL, value: http://{{ include "gatehouse.fullname" .root }}-audit:8080 }
  {{- end }}
startupProbe:
  httpGet: { path: /health/live, port: http }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /health/live, port: http }
  periodSeconds: 10
  timeoutSeconds: 3
readinessProbe:
  httpGet: { path: /health/ready, port: http }
  periodSeconds: 5
  timeoutSeconds: 3
resources: {{ toYaml .values.resources | nindent 2 }}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  - { name: data, mountPath: /data }
  - { name: settings, mountPath: /etc/gatehouse, readOnly: true }
  - { name: secrets, mountPath: /secrets, readOnly: true }
  {{- if $gateway }}
  # One key for all gates, so that audit opens what any of them sealed.
  - { name: sealing-key, mountPath: /data/audit.key, subPath: audit.key, readOnly: true }
  {{- end }}
{{- end }}

{{/* The volumes of a container that serves, but for /data. */}}
{{- define "gatehouse.volumes" -}}
{{- $secrets := .root.Values.secrets -}}
- { name: tmp, emptyDir: {} }
- name: settings
  configMap:
    name: {{ include "gatehouse.fullname" .root }}-{{ .service }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ $secrets.serviceToken.name }}
          items: [{ key: {{ $secrets.serviceToken.key }}, path: service-token }]
      {{- if $secrets.metricsToken.name }}
      - secret:
          name: {{ $secrets.metricsToken.name }}
          items: [{ key: {{ $secrets.metricsToken.key }}, path: metrics-token }]
      {{- end }}
      {{- if $secrets.tracingHeaders.name }}
      - secret:
          name: {{ $secrets.tracingHeaders.name }}
          items: [{ key: {{ $secrets.tracingHeaders.key }}, path: tracing-headers }]
      {{- end }}
      {{- include "gatehouse.busSecrets" .root | trim | nindent 6 }}
      {{- if ne .service "gateway" }}
      - secret:
          name: {{ $secrets.roles.name }}
          items: [{ key: {{ $secrets.roles.key }}, path: role-password }]
      {{- end }}
      {{- if eq .service "audit" }}
      - secret:
          name: {{ $secrets.sealing.name }}
          items: [{ key: {{ $secrets.sealing.key }}, path: sealing-key }]
      {{- end }}
{{- if eq .service "gateway" }}
- name: sealing-key
  secret:
    secretName: {{ $secrets.sealing.name }}
    defaultMode: 0440
    items: [{ key: {{ $secrets.sealing.key }}, path: audit.key }]
{{- end }}
{{- end }}

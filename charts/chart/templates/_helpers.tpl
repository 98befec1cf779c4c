{{/* The name of most objects, at most 46 characters: suffixes are added to it. */}}
{{- define "kserve-controller.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- $name = .Values.fullnameOverride -}}
{{- else if not (contains $name .Release.Name) -}}
{{- $name = printf "%s-%s" .Release.Name $name -}}
{{- else -}}
{{- $name = .Release.Name -}}
{{- end -}}
{{- $name | trunc 46 | trimSuffix "-" -}}
{{- end -}}

{{- define "kserve-controller.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{/* Of everything but selectors; the argument is (list $ component). */}}
{{- define "kserve-controller.labels" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ default $.Chart.Name $.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "kserve-controller.serviceAccount" -}}
{{- if or .Values.serviceAccount.create .Values.serviceAccount.name -}}
{{- default (include "kserve-controller.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- fail "serviceAccount.name: expected a name, as serviceAccount.create is false" -}}
{{- end -}}
{{- end -}}

{{- define "kserve-controller.runner" -}}
{{- $made := printf "%s-runner" (include "kserve-controller.fullname" .) -}}
{{- default (.Values.runner.serviceAccount.create | ternary $made "default") .Values.runner.serviceAccount.name -}}
{{- end -}}

{{/* {"all": [...]}: the namespaces that runners work in; the release's comes first. */}}
{{- define "kserve-controller.runnerNamespaces" -}}
{{- concat (list .Release.Namespace) .Values.watchNamespaces .Values.runner.namespaces | uniq | dict "all" | toJson -}}
{{- end -}}

{{- define "kserve-controller.policies" -}}
{{ include "kserve-controller.fullname" . }}-policies
{{- end -}}

{{/* Its name changes with its contents, since it is immutable. */}}
{{- define "kserve-controller.defaultPolicies" -}}
{{ include "kserve-controller.fullname" . }}-default-{{ (.Files.Glob "scripts/*.lua").AsConfig | sha256sum | trunc 8 }}
{{- end -}}

{{/* A Notebook: (list $ name file); the common part comes first. */}}
{{- define "kserve-controller.notebook" -}}
{{- $ := index . 0 }}
---
apiVersion: finops.krateo.io/v1
kind: Notebook
metadata:
  name: {{ index . 1 }}
  namespace: {{ $.Values.notebooks.namespace }}
  labels: {{- include "kserve-controller.labels" (list $ "notebook") | nindent 4 }}
spec:
  type: inline
  inline: |
    {{- print ($.Files.Get "notebooks/common.py") "\n" ($.Files.Get (printf "notebooks/%s.py" (index . 2))) | trim | nindent 4 }}
{{- end -}}

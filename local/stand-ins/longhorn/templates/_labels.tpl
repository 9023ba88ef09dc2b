{{- /* Longhorn's CRDs include this template of the real chart by name. */ -}}
{{- define "longhorn.labels" -}}
app.kubernetes.io/name: longhorn
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion }}
kraft.dev/stand-in: "true"
{{- end -}}
{{- /* What the real chart calls the settings: kebab case. */ -}}
{{- define "kraft.setting" -}}
{{ . | kebabcase | replace "v-1-" "v1-" | replace "v-2-" "v2-" }}
{{- end -}}

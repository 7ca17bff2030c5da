#!/bin/sh
# Alertmanager, which tells of each alert at ALERT_WEBHOOK: a webhook of a Discord channel, or another address that takes
# Alertmanager's JSON. Without it, alerts are seen in Prometheus alone.
set -eu
umask 077 # the address is a secret
folder=${TMPDIR:-/tmp}

case ${ALERT_WEBHOOK:-} in
'') receiver= ;;
*/api/webhooks/*)
    receiver="
    discord_configs:
      - webhook_url: '$ALERT_WEBHOOK'
        title: ''
        message: '{{ range .Alerts }}{{ if eq .Status \"resolved\" }}Over: {{ end }}{{ .Annotations.summary }}{{ \"\\n\" }}{{ end }}'"
    ;;
*)
    receiver="
    webhook_configs:
      - url: '$ALERT_WEBHOOK'"
    ;;
esac

cat >"$folder/alertmanager.yml" <<END
route: {receiver: operator, group_by: [alertname], group_wait: 5s, repeat_interval: 12h}
receivers:
  - name: operator$receiver
END
exec alertmanager --config.file="$folder/alertmanager.yml" --storage.path="$folder/alertmanager" --cluster.listen-address= "$@"

import type { Sender } from './sender.ts';

/** https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export const alertmanager: Sender = {
  name: 'alertmanager',
  title: 'Alertmanager',
  secretVariable: undefined,
  setUp:
    'Alertmanager signs nothing, so it has an API key. Add a receiver to alertmanager.yml: `webhook_configs: [{ url: …, ' +
    'http_config: { authorization: { credentials_file: /etc/alertmanager/pullcord.key } } }]`.',
  tryWith: `-d '{"version":"4","status":"firing","groupKey":"{}:{}","alerts":[{"status":"firing","fingerprint":"c9a1","startsAt":"2027-06-30T12:00:00Z","labels":{"alertname":"DiskFull","severity":"critical"}}]}'`,
  trigger: `key: alertmanager
name: Alertmanager alerts
auth: { uses: api-key }
# The body is Alertmanager's, and no member of it means what Pullcord's own does.
body: { fields: free }
filter:
  - name: alerts fire
    uses: jsonata
    with: { expression: 'status = "firing"' }
  - name: one is critical
    uses: jsonata
    with: { expression: '"critical" in alerts.labels.severity' }
# A group that still fires is sent again, every four hours by default: the same alerts, started at the same times.
dedup: { uses: expression, with: { key: '[groupKey, alerts[status = "firing"].(fingerprint & startsAt)]', window: 24h } }
# Alertmanager retries a 5xx, and logs a 4xx as an error.
respond: { uses: accepted, with: { dropped: { status: 204 }, duplicate: { status: 200 } } }
tests:
  - name: a critical alert fires
    body:
      version: "4"
      groupKey: '{}:{alertname="DiskFull"}'
      truncatedAlerts: 0
      status: firing
      receiver: pullcord
      groupLabels: { alertname: DiskFull }
      commonLabels: { alertname: DiskFull, severity: critical }
      commonAnnotations: { summary: The disk is full }
      externalURL: http://alertmanager.example.com
      alerts:
        - status: firing
          labels: { alertname: DiskFull, instance: "db1:9100", severity: critical }
          annotations: { summary: The disk is full }
          startsAt: "2027-06-30T12:00:00.000Z"
          endsAt: "0001-01-01T00:00:00Z"
          generatorURL: http://prometheus.example.com/graph
          fingerprint: c9a1f1a2b3c4d5e6
    expect: { verdict: accepted }
  - name: the group that is sent again is a duplicate
    body:
      version: "4"
      status: firing
      groupKey: g
      alerts: [{ status: firing, labels: { severity: critical }, fingerprint: c9a1, startsAt: "2027-06-30T12:00:00.000Z" }]
    expect: { verdict: duplicate, status: 200 }
  - name: a warning fires
    body: { version: "4", status: firing, groupKey: w, alerts: [{ status: firing, labels: { severity: warning } }] }
    expect: { verdict: dropped, by: one is critical, status: 204 }
  - name: a critical alert is resolved
    body: { version: "4", status: resolved, groupKey: r, alerts: [{ status: resolved, labels: { severity: critical } }] }
    expect: { verdict: dropped, by: alerts fire }
`,
};

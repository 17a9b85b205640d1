#!/usr/bin/env python3
"""Writes the dashboards: build.py; build.py --check only says whether the committed ones are what it writes.

A panel asks in PromQL, or in SQL where it shows one organization. `needs` says why a panel may be empty on a healthy
system; without it grafana/lint.py --live wants data from every query.
"""
import json, sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
OBSERVER = {"type": "grafana-postgresql-datasource", "uid": "observer"}
LOKI = {"type": "loki", "uid": "loki"}

# What we promise, over 30 days; alerts/slo.yml has the same figures.
AVAILABILITY, FAST, FAST_SECONDS = 0.999, 0.99, "0.5"

REQUESTS = "keroxio_graphql_request_seconds"


def rate(metric, by="", where=""):
    return f"sum {f'by ({by}) ' if by else ''}(rate({metric}{f'{{{where}}}' if where else ''}[$__rate_interval]))"


def quantile(q, metric, by="", where=""):
    return f"histogram_quantile({q}, {rate(metric + '_bucket', ', '.join(filter(None, ['le', by])), where)})"


def quantiles(metric, where=""):
    return [(quantile(q, metric, where=where), f"p{q * 100:.0f}") for q in (0.5, 0.95, 0.99)]


def panel(title, unit, *targets, kind="timeseries", wide=8, high=8, note="", needs="", stack=False, steps=(), source=PROMETHEUS):
    return {"title": title, "unit": unit, "targets": targets, "kind": kind, "wide": wide, "high": high, "note": note,
            "needs": needs, "stack": stack, "steps": steps, "source": source}


def stat(title, unit, query, steps=(), **more):
    return panel(title, unit, (query, ""), kind="stat", wide=4, high=4, steps=steps, **more)


def row(title):
    return {"row": title}


# Newest first in the file means first in the list of Grafana: what a person on call opens first.
def overview():
    ok = f'sum(rate({REQUESTS}_count{{outcome!="failed"}}[30d])) / sum(rate({REQUESTS}_count[30d]))'
    fast = (f'sum(rate({REQUESTS}_bucket{{transport="http", outcome="ok", le="{FAST_SECONDS}"}}[30d]))'
            f' / sum(rate({REQUESTS}_count{{transport="http", outcome="ok"}}[30d]))')
    red = [(None, "green"), (1, "red")]
    return dashboard("overview", "Keroxio: overview", [
        row("What we promise, over 30 days"),
        stat("Requests answered", "percentunit", ok, [(None, "red"), (AVAILABILITY, "green")],
             note=f"Requests that did not fail by our fault. Promised: {AVAILABILITY:.1%}."),
        stat("Budget of failures left", "percentunit", f"1 - (1 - {ok}) / {1 - AVAILABILITY:.3f}", [(None, "red"), (0.25, "orange"), (0.5, "green")]),
        stat(f"Answered within {FAST_SECONDS} s", "percentunit", fast, [(None, "red"), (FAST, "green")],
             note=f"Of the requests that succeeded. Promised: {FAST:.0%}."),
        stat("Budget of slowness left", "percentunit", f"1 - (1 - {fast}) / {1 - FAST:.2f}", [(None, "red"), (0.25, "orange"), (0.5, "green")]),
        stat("Ads prepared within a minute", "percentunit",
             'sum(rate(keroxio_listing_preparation_seconds_bucket{le=~"60|60[.]0"}[30d])) / sum(rate(keroxio_listing_preparation_seconds_count[30d]))',
             [(None, "red"), (0.95, "green")]),
        stat("Alerts firing", "short", 'count(ALERTS{alertstate="firing"}) or vector(0)', red),
        panel("Burn rate of failures", "short", *[(f"keroxio:graphql_failures:ratio_rate{w} / {1 - AVAILABILITY:.3f}", w) for w in ("5m", "1h", "6h")],
              wide=12, note="1 uses the budget up in exactly 30 days; 14.4 pages."),
        panel("Burn rate of slowness", "short", *[(f"keroxio:graphql_slow:ratio_rate{w} / {1 - FAST:.2f}", w) for w in ("5m", "1h", "6h")], wide=12),
        row("Now"),
        stat("Processes up", "short", 'sum(up{job=~"keroxio-.+"})', [(None, "red"), (1, "green")]),
        stat("Oldest due job", "s", "max(keroxio_jobs_oldest_age_seconds)", [(None, "green"), (60, "orange"), (300, "red")]),
        stat("Dead letters", "short", 'sum(max by (queue) (keroxio_jobs{state="dead"}))', red),
        stat("Outbox lag", "s", "max(keroxio_outbox_lag_seconds)", [(None, "green"), (10, "orange"), (60, "red")]),
        stat("Age of the last backup", "s", "time() - max(keroxio_backup_last_success_timestamp_seconds)", [(None, "green"), (93600, "red")]),
        stat("Certificate expires in", "s", "min(probe_ssl_earliest_cert_expiry) - time()", [(None, "red"), (1209600, "green")]),
        panel("Requests by outcome", "reqps", (rate(REQUESTS + "_count", "outcome"), "{{outcome}}"), stack=True),
        panel("Time of requests that succeeded", "s", *quantiles(REQUESTS, 'transport="http", outcome="ok"')),
        panel("Jobs waiting", "short", ('max by (queue) (keroxio_jobs{state="waiting"})', "{{queue}}")),
        panel("Ads prepared", "short", ('sum(increase(keroxio_events_total{event="listing.prepared"}[$__rate_interval]))', "ads")),
        panel("Time from photos to ad", "s", *quantiles("keroxio_listing_preparation_seconds")),
        panel("Sign-ups", "short", ('sum by (event) (increase(keroxio_events_total{event=~"auth[.](signed_up|guest_began|guest_claimed)"}[$__rate_interval]))', "{{event}}")),
    ])


def api():
    field, errors = "keroxio_graphql_root_field_seconds", "keroxio_graphql_root_field_errors_total"
    return dashboard("api", "Keroxio: API", [
        row("Root fields"),
        panel("Requests, the 15 most asked", "reqps", (f"topk(15, {rate(field + '_count', 'field')})", "{{field}}"), wide=12),
        panel("p95, the 15 slowest", "s", (f"topk(15, {quantile(0.95, field, 'field')})", "{{field}}"), wide=12),
        panel("Errors by field and code", "reqps", (f"topk(15, {rate(errors, 'field, code')})", "{{field}} {{code}}"), wide=12),
        panel("Errors that are our fault", "reqps", (rate(errors, "field, code", 'code=~"INTERNAL|UNAVAILABLE|NO_CODE"'), "{{field}} {{code}}"), wide=12,
              needs="only there once a field failed by our fault"),
        row("GraphQL"),
        panel("Requests by transport and outcome", "reqps", (rate(REQUESTS + "_count", "transport, outcome"), "{{transport}} {{outcome}}"), stack=True),
        panel("Time by transport, p95", "s", (quantile(0.95, REQUESTS, "transport"), "{{transport}}")),
        panel("Cost of a document", "short", *quantiles("keroxio_graphql_cost_points"), note="Points; a bucket holds what KEROXIO_COST_CAPACITY says."),
        panel("Points spent", "short", (rate("keroxio_graphql_cost_points_sum"), "points a second")),
        panel("Refused for asking too much", "reqps", (rate("keroxio_refusals_total", "by"), "{{by}}"),
              note="door: before the body is read; cost: after the document is measured."),
        row("WebSockets"),
        panel("Open connections and subscriptions", "short", ("sum(keroxio_websocket_connections)", "connections"), ("sum(keroxio_graphql_subscriptions)", "subscriptions")),
        panel("Connections we closed, by code", "ops", (rate("keroxio_websocket_closes_total", "code"), "{{code}}")),
        row("HTTP"),
        panel("Requests by route and status", "reqps", (rate("keroxio_http_request_duration_seconds_count", "route, status"), "{{route}} {{status}}"), wide=12),
        panel("p95 by route", "s", (quantile(0.95, "keroxio_http_request_duration_seconds", "route"), "{{route}}"), wide=12),
    ])


def jobs():
    attempts = "keroxio_job_attempt_seconds"
    return dashboard("jobs", "Keroxio: jobs", [
        row("Queues"),
        panel("Waiting", "short", ('max by (queue) (keroxio_jobs{state="waiting"})', "{{queue}}"), wide=6),
        panel("Running", "short", ('max by (queue) (keroxio_jobs{state="running"})', "{{queue}}"), wide=6),
        panel("Age of the oldest due job", "s", ("max by (queue) (keroxio_jobs_oldest_age_seconds)", "{{queue}}"), wide=6),
        panel("Dead letters", "short", ('max by (queue) (keroxio_jobs{state="dead"})', "{{queue}}"), wide=6),
        panel("Outbox lag", "s", ("max(keroxio_outbox_lag_seconds)", "oldest row nobody has called up"), wide=6),
        panel("Relays that lead", "short", ("sum(keroxio_relay_leading)", "leading"), wide=6, note="One, but for a moment at a change."),
        panel("Jobs taken back from silent workers", "short", ("sum(increase(keroxio_jobs_recovered_total[$__rate_interval]))", "jobs"), wide=6),
        panel("Attempts by queue and outcome", "ops", (rate(attempts + "_count", "queue, outcome"), "{{queue}} {{outcome}}"), wide=6),
        row("Jobs"),
        panel("Attempts, the 15 most run", "ops", (f"topk(15, {rate(attempts + '_count', 'job')})", "{{job}}"), wide=12),
        panel("p95 of an attempt, the 15 slowest", "s", (f"topk(15, {quantile(0.95, attempts, 'job')})", "{{job}}"), wide=12),
        panel("Attempts that did not end well", "ops", (rate(attempts + "_count", "job, outcome", 'outcome!="done"'), "{{job}} {{outcome}}"), wide=12,
              needs="only there once an attempt was retried, given up or handed back"),
        panel("Work under way, by job", "short", (f"topk(15, {rate(attempts + '_sum', 'job')})", "{{job}}"), wide=12,
              note="Seconds worked a second: how many workers each job keeps busy."),
    ])


def inference():
    took, read, corrected = "keroxio_inference_seconds", "keroxio_plate_readings_total", "keroxio_plate_corrections_total"
    share = lambda part, whole: f"sum({part}) / sum({whole})"
    over = lambda metric, where="": f"increase({metric}{where}[7d])"
    return dashboard("inference", "Keroxio: inference", [
        row("Speed"),
        panel("p95 by plugin", "s", (quantile(0.95, took, "port, plugin"), "{{port}}: {{plugin}}")),
        panel("Inferences by plugin", "ops", (rate(took + "_count", "port, plugin"), "{{port}}: {{plugin}}")),
        panel("Busy with inference", "short", (rate(took + "_sum", "port"), "{{port}}"), stack=True, note="Seconds a second."),
        panel("Inputs of a call, mean", "short", (f'{rate("keroxio_inference_batch_size_sum", "port")} / {rate("keroxio_inference_batch_size_count", "port")}', "{{port}}")),
        row("Plates"),
        panel("Photos by what was read", "ops", (rate(read, "outcome"), "{{outcome}}"), stack=True, note="asked: the seller is asked to confirm."),
        panel("Plates that sellers corrected, over 7 days", "percentunit",
              (share(over(corrected, '{verdict="changed"}'), over(corrected)), "corrected")),
        panel("Corrected, by model", "short", (f"sum by (model, verdict) ({over(corrected)})", "{{model}} {{verdict}}")),
        panel("What models believe of their readings", "percentunit", (quantile(0.1, "keroxio_plate_confidence", "model"), "{{model}} p10"),
              (quantile(0.5, "keroxio_plate_confidence", "model"), "{{model}} p50")),
        panel("Plates the first look missed, per photo", "percentunit",
              (share(over("keroxio_plate_mask_misses_total"), over("keroxio_photo_verdicts_total")), "missed per photo"),
              note="Found by the second look and hidden before anybody saw them."),
        row("Photos"),
        panel("Cut-outs by grade", "ops", (rate("keroxio_photo_verdicts_total", "grade"), "{{grade}}"), stack=True),
        panel("Cut-outs rejected, over 7 days", "percentunit",
              (share(over("keroxio_photo_verdicts_total", '{grade="rejected"}'), over("keroxio_photo_verdicts_total")), "rejected")),
        row("Prices"),
        panel("Sales inside the interval, over 30 days", "percentunit",
              ('sum(increase(keroxio_price_sales_total{place="inside"}[30d])) / sum(increase(keroxio_price_sales_total[30d]))', "inside"),
              note="The interval is meant to hold 80 % of asking prices."),
        panel("Sales by place", "short", ("sum by (place) (increase(keroxio_price_sales_total[30d]))", "{{place}}")),
        panel("Prices asked for", "ops", (rate("keroxio_price_quotes_total", "outcome"), "{{outcome}}"), stack=True),
        panel("Asking price over estimate, latest month", "percentunit", ("max by (fuel) (keroxio_price_drift_ratio)", "{{fuel}}")),
        panel("Ads behind it", "short", ("max by (fuel) (keroxio_price_drift_ads)", "{{fuel}}")),
        panel("Questions to the vehicle register", "ops", (rate("keroxio_vehicle_registry_lookups_total", "outcome"), "{{outcome}}"), stack=True),
    ])


def money():
    events = lambda names: f'sum by (event) (increase(keroxio_events_total{{event=~"{names}"}}[$__rate_interval]))'
    calls = "keroxio_outbound_seconds"
    return dashboard("money", "Keroxio: money and mail", [
        row("From visitor to sale"),
        panel("Sign-ups and guests", "short", (events("auth[.](signed_up|guest_began|guest_claimed|member_joined)"), "{{event}}")),
        panel("Ads prepared and sold", "short", (events("listing[.](prepared|sold|taken_back)"), "{{event}}")),
        panel("Ads published", "short", (events("publication[.].+"), "{{event}}")),
        panel("Ads by how their preparation ended", "ops", (rate("keroxio_listing_preparation_seconds_count", "outcome"), "{{outcome}}"), stack=True),
        panel("Guests who claim their ad, over 7 days", "percentunit",
              ('sum(increase(keroxio_events_total{event="auth.guest_claimed"}[7d])) / sum(increase(keroxio_events_total{event="auth.guest_began"}[7d]))', "claimed")),
        panel("Sales told with their price, over 30 days", "short", ("sum by (place) (increase(keroxio_price_sales_total[30d]))", "{{place}}")),
        row("Services outside"),
        panel("Calls by service and outcome", "ops", (rate(calls + "_count", "service, outcome"), "{{service}} {{outcome}}"), wide=12,
              note="Mail, webhooks, the vehicle register, the language model, payments. refused: theirs to say no; failed: no answer or their trouble."),
        panel("p95 by service", "s", (quantile(0.95, calls, "service", 'outcome="ok"'), "{{service}}"), wide=12),
        panel("Payments: calls to Stripe", "ops", (rate(calls + "_count", "outcome", 'service="stripe"'), "{{outcome}}"), stack=True),
        panel("Payments: events of Stripe", "ops", (rate("keroxio_billing_webhooks_total", "outcome"), "{{outcome}}"), stack=True),
        panel("Payments: what differed from Stripe, over a day", "short",
              ("sum by (field) (increase(keroxio_billing_differences_total[1d]))", "{{field}}"),
              note="Found and mended by the nightly look; staff see each in billingDifferences."),
        panel("Work refused by a plan's limit, over a day", "short",
              ("sum by (unit) (increase(keroxio_plan_refusals_total[1d]))", "{{unit}}")),
        panel("Letters", "short", (events("email[.](queued|sent|failed)"), "{{event}}")),
        panel("Webhook deliveries", "ops", (rate("keroxio_webhook_deliveries_total", "outcome"), "{{outcome}}"), stack=True),
    ])


def database():
    me = 'instance=~"$instance"'
    query, connections = "keroxio_database_query_seconds", "keroxio_database_connections"
    return dashboard("database", "Keroxio: database, Redis, storage, processes", [
        row("PostgreSQL"),
        panel("Pool use", "percentunit", (f'sum by (pool) ({connections}{{state="used", {me}}}) / sum by (pool) (keroxio_database_pool_limit{{{me}}})', "{{pool}}")),
        panel("Connections", "short", (f"sum by (pool, state) ({connections}{{{me}}})", "{{pool}} {{state}}"), stack=True),
        panel("Waits and timeouts of the pool", "ops", (rate("keroxio_database_pool_waits_total", "pool", me), "waits {{pool}}"),
              (rate("keroxio_database_pool_timeouts_total", "pool", me), "timeouts {{pool}}")),
        panel("Time of statements", "s", *quantiles(query, me)),
        panel("Statements by outcome", "ops", (rate(query + "_count", "outcome", me), "{{outcome}}")),
        panel("Statements for each request", "short", (f"{rate(query + '_count', where=me)} / {rate(REQUESTS + '_count')}", "statements"), note="Those of jobs are among them."),
        row("Redis"),
        panel("Connected", "short", (f"min by (instance) (keroxio_redis_up{{{me}}})", "{{instance}}")),
        panel("Time until it answers", "s", *quantiles("keroxio_redis_command_seconds", me)),
        panel("Commands", "ops", (rate("keroxio_redis_command_seconds_count", where=me), "commands")),
        row("Storage"),
        panel("Operations", "ops", (rate("opendal_operation_duration_seconds_count", "operation", me), "{{operation}}")),
        panel("p95 by operation", "s", (quantile(0.95, "opendal_operation_duration_seconds", "operation", me), "{{operation}}")),
        panel("Bytes", "Bps", (rate("opendal_operation_bytes_sum", "operation", me), "{{operation}}")),
        panel("Operations that failed", "ops", (rate("opendal_operation_errors_total", "operation, error", me), "{{operation}} {{error}}"),
              needs="only there once an operation failed"),
        row("Processes"),
        panel("CPU", "short", (f"rate(process_cpu_seconds_total{{{me}, job=~\"keroxio-.+\"}}[$__rate_interval])", "{{instance}}"), wide=6),
        panel("Memory", "bytes", (f"process_resident_memory_bytes{{{me}, job=~\"keroxio-.+\"}}", "{{instance}}"), wide=6),
        panel("File descriptors", "percentunit", (f"process_open_fds{{{me}, job=~\"keroxio-.+\"}} / process_max_fds{{{me}, job=~\"keroxio-.+\"}}", "{{instance}}"), wide=6),
        panel("Threads", "short", (f"process_threads{{{me}, job=~\"keroxio-.+\"}}", "{{instance}}"), wide=6),
        panel("Running since", "s", (f"time() - process_start_time_seconds{{{me}, job=~\"keroxio-.+\"}}", "{{instance}}"), wide=12),
        panel("Versions", "short", (f"count by (version) (keroxio_build_info{{{me}}})", "{{version}}"), wide=12),
    ], [{"name": "instance", "label": "Process", "type": "query", "datasource": PROMETHEUS, "refresh": 2, "multi": True, "includeAll": True,
         "allValue": ".*", "current": {"text": "All", "value": "$__all"},
         "definition": "label_values(keroxio_build_info, instance)",
         "query": {"query": "label_values(keroxio_build_info, instance)", "refId": "instance"}}])


def tenant():
    """One organization. Metrics carry no tenant, so it is asked of PostgreSQL, by functions that answer counts only
    (deploy/observer.sql): no name, address, plate or text of anybody."""
    table = lambda title, sql, **more: panel(title, "short", (sql, ""), kind="table", source=OBSERVER, **({"wide": 12} | more))
    daily = lambda title, what: panel(title, "short", (f"SELECT day AS time, count AS {what} FROM observer.days('$organization', '{what}') WHERE $__timeFilter(day)", ""), source=OBSERVER)
    return dashboard("tenant", "Keroxio: one organization", [
        table("Organizations, those with trouble first", "SELECT * FROM observer.organizations() ORDER BY jobs_dead DESC, letters_failed DESC, deliveries_failed DESC, ads DESC LIMIT 50", wide=24),
        row("The organization $organization"),
        table("In figures", "SELECT * FROM observer.organizations() WHERE organization::text = '$organization'", wide=24, high=5),
        table("Its jobs", "SELECT * FROM observer.jobs('$organization')"),
        table("Its steps that failed, by reason", "SELECT * FROM observer.failures('$organization')"),
        daily("Photos a day", "photos"), daily("Ads a day", "ads"), daily("Webhook deliveries that failed, a day", "failed_deliveries"),
        daily("Plates corrected a day", "corrections"), daily("Letters a day", "letters"), daily("Cars a day", "cars"),
    ], [{"name": "organization", "label": "Organization", "type": "query", "datasource": OBSERVER, "refresh": 1,
         "query": "SELECT organization::text FROM observer.organizations() ORDER BY ads DESC LIMIT 500"}])


def logs():
    ours = '{app="keroxio"} | json'
    line = lambda title, query, wide=24, **more: panel(title, "short", (query, ""), kind="logs", source=LOKI, wide=wide, high=12, **more)
    return dashboard("logs", "Keroxio: logs", [
        panel("Lines by level", "short", (f"sum by (level) (count_over_time({ours} [$__interval]))", "{{level}}"), source=LOKI, wide=12),
        panel("Requests that were answered slowly by PostgreSQL", "short", (f'sum(count_over_time({ours} |= "slow query" [$__interval]))', "slow queries"), source=LOKI, wide=12),
        line("Warnings and errors", f'{ours} | level=~"WARN|ERROR"'),
        line("One request, by its x-request-id", f'{ours} |= "$request" '),
    ], [{"name": "request", "label": "x-request-id", "type": "textbox", "query": ""}])


def dashboard(name, title, panels, variables=()):
    return {"name": name, "title": title, "panels": panels, "variables": list(variables)}


DASHBOARDS = [overview, api, jobs, inference, money, database, tenant, logs]


def laid_out(panels):
    """From left to right in 24 columns; a row of panels is as high as its highest."""
    x = y = high = 0
    for number, item in enumerate(panels, 1):
        if "row" in item:
            x, y, high = 0, y + high, 0
            yield {"id": number, "type": "row", "title": item["row"], "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
            y += 1
            continue
        if x + item["wide"] > 24:
            x, y, high = 0, y + high, 0
        yield grafana(number, item, {"x": x, "y": y, "w": item["wide"], "h": item["high"]})
        x, high = x + item["wide"], max(high, item["high"])


def grafana(number, item, place):
    is_sql = item["source"] is OBSERVER
    targets = []
    for index, (query, legend) in enumerate(item["targets"]):
        target = {"refId": chr(ord("A") + index), "datasource": item["source"]}
        if is_sql:
            target |= {"rawSql": query, "rawQuery": True, "editorMode": "code", "format": "table" if item["kind"] == "table" else "time_series"}
        else:
            target |= {"expr": query, "legendFormat": legend or "__auto"}
            target |= {"instant": True, "range": False} if item["kind"] == "stat" else {}
        targets.append(target)
    note = " ".join(filter(None, [item["note"], f"Empty while all is well: {item['needs']}." if item["needs"] else ""]))
    field = {"unit": item["unit"]}
    if item["unit"] == "percentunit" and item["kind"] == "timeseries":
        field["min"] = 0
    if item["steps"]:
        field |= {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in item["steps"]]}}
    if item["stack"]:
        field["custom"] = {"stacking": {"mode": "normal"}, "fillOpacity": 20}
    made = {"id": number, "type": item["kind"], "title": item["title"], "description": note, "datasource": item["source"],
            "gridPos": place, "fieldConfig": {"defaults": field, "overrides": []}, "targets": targets}
    if item["kind"] == "stat":
        made["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background" if item["steps"] else "value", "graphMode": "none"}
    elif item["kind"] == "timeseries":
        made["options"] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    elif item["kind"] == "logs":
        made["options"] = {"showTime": True, "wrapLogMessage": True, "enableLogDetails": True}
    return made


def written(board):
    text = {"uid": f"keroxio-{board['name']}", "title": board["title"], "tags": ["keroxio"], "schemaVersion": 39, "version": 1, "editable": False,
            "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "timezone": "browser", "templating": {"list": board["variables"]},
            "links": [{"type": "dashboards", "tags": ["keroxio"], "title": "Keroxio", "asDropdown": True, "includeVars": False, "keepTime": True}],
            "annotations": {"list": [{"name": "Alerts", "datasource": PROMETHEUS, "enable": True, "iconColor": "red",
                                      "expr": 'ALERTS{alertstate="firing", severity="page"}', "titleFormat": "{{alertname}}"}]},
            "panels": list(laid_out(board["panels"]))}
    return json.dumps(text, indent=1, ensure_ascii=False) + "\n"


def main():
    stale = []
    for board in (make() for make in DASHBOARDS):
        path, text = HERE / "dashboards" / f"{board['name']}.json", written(board)
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            stale.append(path.name)
    strangers = {path.stem for path in (HERE / "dashboards").glob("*.json")} - {make.__name__ for make in DASHBOARDS}
    if "--check" in sys.argv and (stale or strangers):
        sys.exit(f"not what build.py writes: {', '.join(stale + sorted(strangers))}; run it")


if __name__ == "__main__":
    main()

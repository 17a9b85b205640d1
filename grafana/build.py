#!/usr/bin/env python3
"""Writes the dashboards from the list of their panels; --check says whether those in the folder are what it writes."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
RATE = "[$__rate_interval]"


def quantile(q, metric, by="", where=""):
    group = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({group}) (rate({metric}_bucket{where}{RATE})))"


def mean(metric, by=""):
    group = f" by ({by})" if by else ""
    return f"sum{group} (rate({metric}_sum{RATE})) / sum{group} (rate({metric}_count{RATE}))"


REQUESTS = "keroxio_graphql_request_seconds"
# Folder of panels: title, unit, queries (expression, legend), and why a panel may be empty on a system without trouble.
DASHBOARDS = {
    "overview": ("Keroxio: overview", [
        ("Availability, 30 days (objective 99.9 %)", "percentunit", [(f'1 - (sum(rate({REQUESTS}_count{{outcome="failed"}}[30d])) or vector(0)) / sum(rate({REQUESTS}_count[30d]))', "availability")]),
        ("Requests under 500 ms, 30 days (objective 99 %)", "percentunit", [(f'sum(rate({REQUESTS}_bucket{{le="0.5"}}[30d])) / sum(rate({REQUESTS}_count[30d]))', "fast")]),
        ("Requests", "reqps", [(f"sum by (outcome) (rate({REQUESTS}_count{RATE}))", "{{outcome}}")]),
        ("Time of a request", "s", [(quantile(0.5, REQUESTS), "p50"), (quantile(0.99, REQUESTS), "p99")]),
        ("Facts", "ops", [(f"sum by (event) (rate(keroxio_events_total{RATE}))", "{{event}}")]),
        ("Ads prepared, one day", "short", [('sum(increase(keroxio_events_total{event="listing.prepared"}[1d]))', "prepared")]),
        ("New accounts, one day", "short", [('sum(increase(keroxio_events_total{event="auth.signed_up"}[1d]))', "accounts")]),
        ("Waiting jobs", "short", [('max by (queue) (keroxio_jobs{state="waiting"})', "{{queue}}")]),
        ("Versions running", "short", [("count by (version) (keroxio_build_info)", "{{version}}")]),
    ]),
    "api": ("Keroxio: API", [
        ("HTTP requests by route", "reqps", [(f"sum by (route, status) (rate(keroxio_http_request_duration_seconds_count{RATE}))", "{{route}} {{status}}")]),
        ("HTTP p99 by route", "s", [(quantile(0.99, "keroxio_http_request_duration_seconds", "route"), "{{route}}")]),
        ("Root fields asked most", "reqps", [(f"topk(10, sum by (field) (rate(keroxio_graphql_root_field_seconds_count{RATE})))", "{{field}}")]),
        ("Slowest root fields, p95", "s", [(f'topk(10, {quantile(0.95, "keroxio_graphql_root_field_seconds", "field")})', "{{field}}")]),
        ("Errors of root fields", "ops", [(f"sum by (field, code) (rate(keroxio_graphql_root_field_errors_total{RATE}))", "{{field}} {{code}}")]),
        ("Cost of a document", "short", [(quantile(0.5, "keroxio_graphql_cost_points"), "p50"), (quantile(0.99, "keroxio_graphql_cost_points"), "p99")]),
        ("Refused for asking too much", "ops", [(f"sum by (by) (rate(keroxio_refusals_total{RATE}))", "{{by}}")]),
        ("WebSockets and subscriptions", "short", [("sum(keroxio_websocket_connections)", "connections"), ("sum(keroxio_graphql_subscriptions)", "subscriptions")]),
    ]),
    "jobs": ("Keroxio: jobs", [
        ("Attempts by job", "ops", [(f"sum by (job, outcome) (rate(keroxio_job_attempt_seconds_count{RATE}))", "{{job}} {{outcome}}")]),
        ("Time of an attempt, p95", "s", [(quantile(0.95, "keroxio_job_attempt_seconds", "job"), "{{job}}")]),
        ("Waiting and dead", "short", [("max by (queue, state) (keroxio_jobs)", "{{queue}} {{state}}")]),
        ("Age of the oldest that is due", "s", [("max by (queue) (keroxio_jobs_oldest_age_seconds)", "{{queue}}")]),
        ("Letters", "ops", [(f'sum by (event) (rate(keroxio_events_total{{event=~"email.*"}}{RATE}))', "{{event}}")]),
    ]),
    "inference": ("Keroxio: inference", [
        ("Inferences", "ops", [(f"sum by (port, plugin) (rate(keroxio_inference_seconds_count{RATE}))", "{{port}} {{plugin}}")]),
        ("Time of an inference, p95", "s", [(quantile(0.95, "keroxio_inference_seconds", "port"), "{{port}}")]),
        ("Plates, by what came of them", "ops", [(f"sum by (model, outcome) (rate(keroxio_plate_readings_total{RATE}))", "{{model}} {{outcome}}")]),
        ("Confidence of plates, mean", "percentunit", [(mean("keroxio_plate_confidence", "model"), "{{model}}")]),
        ("Verdicts on cut-outs", "ops", [(f"sum by (grade) (rate(keroxio_photo_verdicts_total{RATE}))", "{{grade}}")]),
    ]),
    "database": ("Keroxio: PostgreSQL, Redis, storage, process", [
        ("Connections", "short", [("sum by (pool, state) (keroxio_database_connections)", "{{pool}} {{state}}")]),
        ("Waits for a connection", "ops", [(f"sum by (pool) (rate(keroxio_database_pool_waits_total{RATE}))", "{{pool}}")]),
        ("Statements", "ops", [(f"sum by (outcome) (rate(keroxio_database_query_seconds_count{RATE}))", "{{outcome}}")]),
        ("Time of a statement", "s", [(quantile(0.5, "keroxio_database_query_seconds"), "p50"), (quantile(0.99, "keroxio_database_query_seconds"), "p99")]),
        ("Commands of Redis", "ops", [(f"sum(rate(keroxio_redis_command_seconds_count{RATE}))", "commands")]),
        ("Time of a command, mean", "s", [(mean("keroxio_redis_command_seconds"), "mean")]),
        ("Storage", "ops", [(f"sum by (operation) (rate(opendal_operation_duration_seconds_count{RATE}))", "{{operation}}")]),
        ("Memory", "bytes", [("sum by (instance) (process_resident_memory_bytes)", "{{instance}}")]),
        ("Processor", "short", [(f"sum by (instance) (rate(process_cpu_seconds_total{RATE}))", "{{instance}}")]),
        ("Open files", "short", [("sum by (instance) (process_open_fds)", "{{instance}}")]),
    ]),
}


def dashboard(name):
    title, panels = DASHBOARDS[name]
    source = {"type": "prometheus", "uid": "prometheus"}
    return {
        "uid": f"keroxio-{name}", "title": title, "tags": ["keroxio"], "schemaVersion": 39, "editable": False,
        "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
        "panels": [{
            "id": at + 1, "type": "timeseries", "title": panel, "datasource": source,
            "gridPos": {"x": at % 2 * 12, "y": at // 2 * 8, "w": 12, "h": 8},
            "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
            "targets": [
                {"refId": chr(65 + n), "datasource": source, "expr": expr, "legendFormat": legend}
                for n, (expr, legend) in enumerate(queries)
            ],
        } for at, (panel, unit, queries) in enumerate(panels)],
    }


def main():
    wrong = []
    for name in DASHBOARDS:
        text = json.dumps(dashboard(name), indent=2) + "\n"
        path = HERE / "dashboards" / f"{name}.json"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                wrong.append(path.name)
        else:
            path.write_text(text)
    if wrong:
        sys.exit(f"not what build.py writes: {', '.join(wrong)}; run grafana/build.py")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Checks dashboards and alerts: lint.py [--live http://127.0.0.1:9090] [--sql postgres://observer:…@host/keroxio]

Each query parses, each metric is one that the code (or a known exporter) gives, each alert has its runbook and is tested
firing and silent. --live asks a Prometheus beside a system that was used, whether each panel and each series that an alert
looks at has data; --sql does so for the panels that ask PostgreSQL.
"""
import argparse, json, re, subprocess, sys, tempfile, urllib.error, urllib.parse, urllib.request
from pathlib import Path

import build

HERE = Path(__file__).resolve().parent
RULES, TESTS = HERE / "alerts" / "keroxio.yml", HERE / "alerts" / "keroxio_test.yml"

# What is not in our code: metrics of crates we use, of Prometheus itself and of the exporters in deploy/. Where a reason is
# given, a test system need not have them.
ELSEWHERE = {
    "up": "", "ALERTS": "needs an alert that fires",
    **dict.fromkeys(["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
                     "process_threads", "process_start_time_seconds"], ""),
    **dict.fromkeys(["opendal_operation_duration_seconds", "opendal_operation_bytes"], ""),
    "opendal_operation_errors_total": "needs a storage that fails",
    "keroxio_backup_last_success_timestamp_seconds": "comes from deploy/backup.sh by node_exporter",
    "probe_success": "comes from the blackbox exporter", "probe_ssl_earliest_cert_expiry": "comes from the blackbox exporter",
}
# Ours that trouble brings, or work that not every system has. Alerts that look at them are silent until then.
ONLY_THEN = {
    'keroxio_job_attempt_seconds_count{outcome="retry"}': "needs an attempt that fails",
}
WORDS = {"and", "or", "unless", "on", "ignoring", "group_left", "group_right", "bool", "offset", "by", "without", "inf", "nan",
         "sum", "min", "max", "avg", "count", "topk"}
VARIABLES = {"$__rate_interval": "10m", "$__interval": "1m", "$__range": "1h", "$instance": ".*"}


def filled(query):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def rules():
    """Name, expression and kind of each rule. Our files keep to one way of writing, so that no library is needed."""
    found, lines = [], RULES.read_text().splitlines()
    for number, line in enumerate(lines):
        if not (head := re.match(r"\s*- (alert|record): (\S+)", line)):
            continue
        at = next(n for n in range(number, len(lines)) if lines[n].lstrip().startswith("expr:"))
        expression, indent = lines[at].split("expr:", 1)[1].strip(), len(lines[at]) - len(lines[at].lstrip())
        if expression == "|":
            block = []
            for line in lines[at + 1:]:
                if len(line) - len(line.lstrip()) <= indent:
                    break
                block.append(line.strip())
            expression = " ".join(block)
        found.append((head[2], expression, head[1]))
    return found


def panels():
    for make in build.DASHBOARDS:
        board = make()
        for item in board["panels"]:
            if "row" not in item:
                yield board["name"], item


TOKEN = re.compile(r'\[[^\]]*\]|(?P<grouping>\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\))'
                   r'|(?P<name>[a-zA-Z_:][\w:]*)\s*(?P<then>\(|\{[^}]*\})?|[\d.]+[a-z]*|"[^"]*"|.', re.S)


def selectors(query):
    """The series a query looks at: names with their matchers. What a bracket follows is a function."""
    for token in TOKEN.finditer(query):
        if token["name"] and token["name"] not in WORDS and token["then"] != "(":
            yield token["name"], token["then"] or ""


def declared():
    names = set()
    for path in HERE.parent.glob("*/**/src/**/*.rs"):
        if "target" not in path.parts:
            names.update(re.findall(r'"(keroxio_[a-z0-9_]+)"', path.read_text()))
    return names


def is_known(name, names):
    return bool({name, re.sub(r"_(bucket|sum|count)$", "", name)} & names)


def unparsed(queries):
    """What promtool has against them; it reads rules, so each query becomes one."""
    made = [{"record": f"lint:query{number}", "expr": query} for number, query in enumerate(queries)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "lint", "rules": made}]}, file)
        file.flush()
        told = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
    return [] if told.returncode == 0 else [told.stderr + told.stdout]


def asked(base, query):
    """Whether there is an answer, and whether any of it is a number."""
    url = f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(url, timeout=20) as answer:
        result = json.load(answer)["data"]["result"]
    return bool(result), any(series["value"][1] != "NaN" for series in result)


def offline():
    wrong, names, made = [], declared(), rules()
    recorded = {name for name, _, kind in made if kind == "record"}
    queries = [(f"{board}: {item['title']}", filled(query)) for board, item in panels() if item["source"] is build.PROMETHEUS
               for query, _ in item["targets"]]
    queries += [(name, expression) for name, expression, _ in made]
    for where, query in queries:
        for name, _ in selectors(query):
            if not is_known(name, names | set(ELSEWHERE) | recorded):
                wrong.append(f"{where}: nothing gives {name}")
    wrong += unparsed([query for _, query in queries])
    tests, alerts = TESTS.read_text(), [name for name, _, kind in made if kind == "alert"]
    for alert in alerts:
        if not (HERE / "runbooks" / f"{alert}.md").is_file():
            wrong.append(f"{alert} has no runbook")
        if not re.search(rf"alertname: {alert}\n\s+exp_alerts: \[{{", tests):
            wrong.append(f"{alert} is not tested firing")
        if f"alertname: {alert} }}" not in tests:
            wrong.append(f"{alert} is not tested silent")
    for path in (HERE / "runbooks").glob("*.md"):
        if path.stem not in alerts:
            wrong.append(f"runbooks/{path.name} is of no alert")
    print(f"{len(queries)} queries of {sum(1 for _ in panels())} panels and {len(made)} rules looked at")
    return wrong


def live(base):
    wrong, full, all_panels = [], 0, 0
    for board, item in panels():
        if item["source"] is not build.PROMETHEUS:
            continue
        all_panels += 1
        # A quotient of nothing by nothing is NaN: that is an answer only where nothing has to have happened.
        empty = [query for query, _ in item["targets"] if not asked(base, filled(query))[1]]
        full += not empty
        if not empty:
            continue
        reason = item["needs"] or next((why for query in empty for name, _ in selectors(query) if (why := ELSEWHERE.get(name))), "")
        print(f"{'empty' if reason else 'NO DATA'}: {board}: {item['title']}{f' ({reason})' if reason else ''}")
        if not reason:
            wrong += [f"{board}: {item['title']}: no data from {filled(query)}" for query in empty]
    print(f"panels with data {full} / panels {all_panels}")
    seen = alerts = 0
    for name, expression, kind in rules():
        if kind == "record":
            continue
        alerts += 1
        missing = []
        for metric, matchers in dict.fromkeys(selectors(expression)):
            reason = ELSEWHERE.get(metric) or ONLY_THEN.get(metric) or ONLY_THEN.get(metric + matchers)
            if asked(base, metric + matchers)[0]:
                continue
            missing.append(metric + matchers)
            print(f"{'empty' if reason else 'NO DATA'}: {name}: {metric}{matchers}{f' ({reason})' if reason else ''}")
            if not reason:
                wrong.append(f"{name}: no series {metric}{matchers}")
        seen += not missing
    print(f"alerts whose series are all there {seen} / alerts {alerts}")
    return wrong


def sql(url):
    wrong, full, all_panels = [], 0, 0

    def psql(query):
        return subprocess.run(["psql", url, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query], capture_output=True, text=True)

    somebody = psql("SELECT organization FROM observer.organizations() ORDER BY ads DESC LIMIT 1").stdout.strip()
    for board, item in panels():
        if item["source"] is not build.OBSERVER:
            continue
        all_panels += 1
        for query, _ in item["targets"]:
            query = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 > now() - interval '7 days'", query.replace("$organization", somebody))
            told = psql(query)
            if told.returncode or not told.stdout.strip():
                reason = item["needs"] if not told.returncode else ""
                print(f"{'empty' if reason else 'NO DATA'}: {board}: {item['title']}{f' ({reason})' if reason else ''}")
                wrong += [] if reason else [f"{board}: {item['title']}: {told.stderr.strip() or 'no rows'}"]
            else:
                full += 1
    print(f"panels of PostgreSQL with data {full} / {all_panels}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--live", metavar="URL", help="of a Prometheus")
    parser.add_argument("--sql", metavar="URL", help="of PostgreSQL, as its observer")
    args = parser.parse_args()
    wrong = offline()
    if args.live:
        wrong += live(args.live.rstrip("/"))
    if args.sql:
        wrong += sql(args.sql)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()

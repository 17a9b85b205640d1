#!/usr/bin/env python3
"""Checks the dashboards and alerts: each expression parses, each metric is in the code, each alert has its runbook and is
tested. With --live http://127.0.0.1:9090 also that each panel has data on that Prometheus."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
WORDS = re.compile(r"\b((?:keroxio|process|opendal)_[a-z0-9_]+)\b")
# Of crates of others, as they name them.
FOREIGN = {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds", "opendal_operation_duration_seconds"}
# Series that trouble brings; without it their panels are empty, and that is well.
NEEDS_TROUBLE = {"Errors of root fields", "Waits for a connection"}


def known():
    names = set(FOREIGN)
    for path in ROOT.glob("modules/*/src/**/*.rs"):
        names.update(re.findall(r'"(keroxio_[a-z0-9_]+)"', path.read_text()))
    return names


def panels():
    for path in sorted((HERE / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield path.stem, panel["title"], target["expr"].replace("$__rate_interval", "30s")


def parses(expressions):
    """promtool reads rules, so each expression becomes one."""
    rules = [{"record": f"lint:{n}", "expr": expr} for n, expr in enumerate(expressions)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(json.dumps({"groups": [{"name": "lint", "rules": rules}]}))
        file.flush()
        return subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)


def has_data(base, expr):
    url = f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": expr})
    with urllib.request.urlopen(url, timeout=10) as answer:
        result = json.load(answer)["data"]["result"]
    return any(series["value"][1] != "NaN" for series in result)


def main():
    wrong, queries = [], list(panels())
    names = known()
    alerts = (HERE / "alerts/keroxio.yml").read_text()
    for where, text in [(f"{d}: {t}", e) for d, t, e in queries] + [("alerts", alerts)]:
        for name in WORDS.findall(text):
            if re.sub(r"_(bucket|sum|count)$", "", name) not in names and name not in names:
                wrong.append(f"{where}: no code has {name}")
    checked = parses([expr for _, _, expr in queries])
    if checked.returncode:
        wrong.append(checked.stderr or checked.stdout)
    tests = (HERE / "alerts/keroxio_test.yml").read_text()
    for alert in re.findall(r"alert: (\w+)", alerts):
        if not (HERE / f"runbooks/{alert}.md").exists():
            wrong.append(f"{alert} has no runbook")
        if not re.search(rf"alertname: {alert}\n\s+exp_alerts", tests) or f"alertname: {alert} }}" not in tests:
            wrong.append(f"{alert} is not tested firing and not firing")
    if "--live" in sys.argv:
        base = sys.argv[sys.argv.index("--live") + 1]
        titles = {(d, t) for d, t, _ in queries}
        full = {(d, t) for d, t, e in queries if has_data(base, e)}
        for board, title in sorted(titles - full):
            is_well = title in NEEDS_TROUBLE
            print(f"{'empty, as it should be' if is_well else 'NO DATA'}: {board}: {title}")
            if not is_well:
                wrong.append(f"{board}: {title} has no data")
        print(f"panels with data {len(full)} / panels {len(titles)}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(queries)} queries of {len({(d, t) for d, t, _ in queries})} panels are well")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Prints grafana/alerts/keroxio.yml as a PrometheusRule of the Prometheus operator."""
from pathlib import Path

rules = Path(__file__).resolve().parents[2] / "grafana" / "alerts" / "keroxio.yml"
print("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: { name: keroxio, namespace: keroxio }\nspec:")
print("".join(f"  {line}" if line.strip() else line for line in rules.read_text().splitlines(keepends=True)), end="")

"""Fails when a dependency's licence is not in the allow list of deny.toml."""

import json
import re
import subprocess
import sys
import tomllib


def accepted(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met with the allowed licences: OR offers a choice, AND demands both sides."""
    # Older crates write "MIT/Apache-2.0" for a choice.
    tokens = re.findall(r"[()]|[\w.+-]+(?: WITH [\w.-]+)?", expression.replace("/", " OR "))

    def choice() -> bool:
        met = demand()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = demand() or met
        return met

    def demand() -> bool:
        met = licence()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = licence() and met
        return met

    def licence() -> bool:
        token = tokens.pop(0)
        if token != "(":
            return token in allowed
        met = choice()
        tokens.pop(0)
        return met

    return bool(tokens) and choice() and not tokens


def main() -> None:
    with open("deny.toml", "rb") as file:
        allowed = set(tomllib.load(file)["licenses"]["allow"])
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    members = set(metadata["workspace_members"])
    packages = [package for package in metadata["packages"] if package["id"] not in members]
    bad = [p for p in packages if not accepted(p["license"] or "", allowed)]
    print(f"==> licences of {len(packages)} dependencies checked", file=sys.stderr)
    if bad:
        sys.exit("licences not allowed:\n" + "\n".join(f"  {p['name']} {p['version']}: {p['license']}" for p in bad))


if __name__ == "__main__":
    main()

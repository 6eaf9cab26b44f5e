#!/usr/bin/env python3
"""Records the verdict of a real Consul 1.8.7 for every file of the corpus.

Usage: record-validate.py /path/to/consul tests/Unit/Config/Corpus/validate-1.8.7.txt

The corpus holds cases, each "=== FORMAT VERDICT", the file's text, and "--- MESSAGE". Write a new case with any verdict
and run this: it rewrites verdicts and messages in place.
"""
import os
import re
import subprocess
import sys
import tempfile


def judge(consul, directory, kind, text):
    path = os.path.join(directory, "case." + kind)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    run = subprocess.run([consul, "validate", path], capture_output=True, text=True, check=False)
    lines = []
    for line in (run.stdout + run.stderr).replace(directory + "/", "").split("\n"):
        line = re.sub(r"^\s*\* ", "", line).strip()
        line = re.sub(r"^Config validation failed: (failed to parse case\.\w+: )?", "", line)
        if line and "Configuration is valid" not in line and not re.search(r"errors? occurred|error\(s\) decoding", line):
            lines.append(line)
    return ("valid" if run.returncode == 0 else "refused"), " / ".join(lines)[:300]


def main():
    consul, corpus = sys.argv[1:]
    with open(corpus, encoding="utf-8") as file:
        cases = re.split(r"^=== ", file.read(), flags=re.M)[1:]
    out = []
    with tempfile.TemporaryDirectory() as directory:
        for case in cases:
            head, body = case.split("\n", 1)
            kind = head.split()[0]
            text = body[: body.rindex("\n--- ")] if "\n--- " in body else ""
            ending = "" if text.endswith("EOF") else "\n"
            verdict, message = judge(consul, directory, kind, text + ending if text else "")
            out.append(f"=== {kind} {verdict}\n{text}\n--- {message}\n")
    with open(corpus, "w", encoding="utf-8") as file:
        file.write("".join(out))


main()

"""The job that is measured, as a user of pyinfra writes it: each file, and what a changed one calls for."""

import json
import os
from io import StringIO

from pyinfra.operations import files, server
from pyinfra.operations.util import any_changed

with open(os.environ["BENCH_JOB"], encoding="utf-8") as file:
    job = json.load(file)

put = [files.put(name=path, src=StringIO(text), dest=path, mode="644") for path, text in job["files"].items()]

for command in job["handlers"]:
    server.shell(name=command, commands=[command], _if=any_changed(*put))

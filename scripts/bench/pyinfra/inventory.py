"""Light hosts, as the job file names them."""

import json
import os

with open(os.environ["BENCH_JOB"], encoding="utf-8") as file:
    job = json.load(file)

hosts = [
    (
        name,
        {
            "ssh_hostname": address,
            "ssh_user": "root",
            "ssh_key": job["key"],
            "ssh_known_hosts_file": job["knownHosts"],
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
        },
    )
    for name, address in job["hosts"].items()
]

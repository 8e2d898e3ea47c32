"""RunPod's side of the reading worker: gives each job to the Node program and hands back what that returns.

ROUTE in the environment says which of its handlers this endpoint runs: text, audio or pdf.
"""

import json
import os
import pathlib
import subprocess

import runpod

MAIN = pathlib.Path(__file__).parent.parent / "src" / "main.ts"
COMMAND = ["node", "--import", "tsx", str(MAIN), os.environ["ROUTE"]]


def handler(job):
    """The job goes in as JSON, the last line of stdout is the result, and stderr is RunPod's log."""
    job = {"id": job["id"], "input": job["input"]}
    done = subprocess.run(COMMAND, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        return {"error": "the worker broke down; its log says why"}
    return json.loads(done.stdout.strip().splitlines()[-1])


runpod.serverless.start({"handler": handler})

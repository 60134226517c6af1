#!/usr/bin/env python3
"""Stands in for a servepath program: `run ... --seed N --out DIR` writes a trial whose truth is known (_gate_trials.py), at once.

STAND_IN_TRIAL: the real one; STAND_IN_SCALE: times slower; STAND_IN_FIELDS: FIELD=JSON words; STAND_IN_LOG: gets a line a call.
"""
import datetime
import os
import sys

import _gate_trials

words = sys.argv
seed = int(words[words.index("--seed") + 1])
folder = words[words.index("--out") + 1]
now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
_gate_trials.make(os.environ["STAND_IN_TRIAL"], folder, seed, float(os.environ.get("STAND_IN_SCALE", "1")), 0.01, folder, now,
                  os.environ.get("STAND_IN_FIELDS", "").split())
with open(os.environ["STAND_IN_LOG"], "a", encoding="utf-8") as log:
    log.write(f"{seed} {folder} {words[0]}\n")

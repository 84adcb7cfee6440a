#!/usr/bin/env python3
"""Writes schedules.json: what PyTorch's own schedulers, and the report's
np.linspace, give at each moment. Needs torch and numpy:

    python3 schedules.py > schedules.json
"""
import json
import math

import numpy
import torch


def follow(n, base, make, momentum=None):
    """The learning rate before each of n steps."""
    sgd = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=base, momentum=0.9)
    scheduler = make(sgd)
    out = []
    for i in range(n):
        out.append(sgd.param_groups[0]["lr"])
        sgd.step()
        if i < n - 1:
            scheduler.step()
    return out


def case(name, schedule, epochs, steps_per_epoch, want):
    return {"name": name, "schedule": schedule, "epochs": epochs, "steps_per_epoch": steps_per_epoch, "want": [float(v) for v in want]}


S = torch.optim.lr_scheduler
cases = []

for epochs in (1, 2, 7, 3000):
    for start, stop in ((0.03, 0.0001), (0.9, 0.999)):
        cases.append(case(f"the report's np.linspace({start}, {stop}, {epochs})", {"kind": "linear", "from": start, "to": stop},
                          epochs, 1, numpy.linspace(start, stop, epochs)))
cases.append(case("np.linspace by step", {"kind": "linear", "from": 0.1, "to": 0, "by": "step"}, 3, 5, numpy.linspace(0.1, 0, 15)))

for n in (2, 10, 101):
    cases.append(case(f"CosineAnnealingLR, {n} epochs", {"kind": "cosine", "from": 0.1, "to": 0.001}, n, 1,
                      follow(n, 0.1, lambda o: S.CosineAnnealingLR(o, T_max=n - 1, eta_min=0.001))))
cases.append(case("CosineAnnealingLR by step", {"kind": "cosine", "from": 0.1, "by": "step"}, 4, 6,
                  follow(24, 0.1, lambda o: S.CosineAnnealingLR(o, T_max=23))))

cases.append(case("StepLR", {"kind": "step", "from": 0.1, "factor": 0.5, "every": 3}, 10, 1,
                  follow(10, 0.1, lambda o: S.StepLR(o, step_size=3, gamma=0.5))))
cases.append(case("StepLR by step, a third of an epoch", {"kind": "step", "from": 0.1, "factor": 0.5, "every": 0.3, "by": "step"}, 2, 10,
                  follow(20, 0.1, lambda o: S.StepLR(o, step_size=3, gamma=0.5))))

for n in (3, 10, 57, 200):
    cases.append(case(f"OneCycleLR, {n} epochs", {"kind": "one_cycle", "from": 0.1}, n, 1,
                      follow(n, 0.1, lambda o: S.OneCycleLR(o, max_lr=0.1, total_steps=n))))
cases.append(case("OneCycleLR by step", {"kind": "one_cycle", "from": 0.1, "by": "step"}, 10, 7,
                  follow(70, 0.1, lambda o: S.OneCycleLR(o, max_lr=0.1, total_steps=70))))
cases.append(case("OneCycleLR by step, warm-up of 2 epochs", {"kind": "one_cycle", "from": 0.1, "by": "step", "warmup": 2}, 10, 7,
                  follow(70, 0.1, lambda o: S.OneCycleLR(o, max_lr=0.1, total_steps=70, pct_start=0.2))))

# A warm-up of 5 epochs: value * (moments done + 1) / (5 + 1) until it is over.
cases.append(case("LinearLR before a constant", {"kind": "constant", "from": 0.6, "warmup": 5}, 8, 1,
                  follow(8, 0.6, lambda o: S.LinearLR(o, start_factor=1 / 6, total_iters=5))))
cases.append(case("LinearLR before a constant, by step", {"kind": "constant", "from": 0.6, "warmup": 2, "by": "step"}, 4, 4,
                  follow(16, 0.6, lambda o: S.LinearLR(o, start_factor=1 / 9, total_iters=8))))
cases.append(case("LinearLR times a cosine", {"kind": "cosine", "from": 0.1, "to": 0.01, "warmup": 4}, 12, 1,
                  [0.01 + 0.09 * (1 + math.cos(math.pi * i / 11)) / 2 * 1 if i >= 4 else
                   (0.01 + 0.09 * (1 + math.cos(math.pi * i / 11)) / 2) * (i + 1) / 5 for i in range(12)]))

# Thousands of epochs need not all be kept.
for c in cases:
    c["at"] = sorted({*range(min(60, len(c["want"]))), *range(60, len(c["want"]), 97), len(c["want"]) - 1})
    c["want"] = [c["want"][i] for i in c["at"]]
print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")

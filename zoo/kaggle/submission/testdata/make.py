# Makes the files beside it, and expected.json, with NumPy alone:
#
#     python make.py [FOLDER]
#
# FOLDER is the one with the real data (FKZOO_TESTDATA); its figures are left as
# they are where it isn't given.
import csv
import json
import os
import sys

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(8)


def write(name, header, rows):
    with open(os.path.join(here, name), "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(header)
        w.writerows(rows)


def rmse(d):
    return float(np.sqrt(np.mean(np.square(d))))


def read(path):
    with open(path, newline="") as f:
        rows = list(csv.reader(f))[1:]
    return {int(r[0]): float(r[1]) for r in rows}


expected = {}
path = os.path.join(here, "expected.json")
if os.path.exists(path):
    expected = json.load(open(path))

# 40 images, some of which are asked for all features and some for two.
features = [p + c for p in ("left_eye_center", "right_eye_center", "nose_tip") for c in ("_x", "_y")]
asked = []
for image in range(1, 41):
    for f in features if image % 3 else features[4:]:
        asked.append((image, f))
ids = np.arange(1, len(asked) + 1)
write("lookup.csv", ["RowId", "ImageId", "FeatureName", "Location"], [(i, *a, "") for i, a in zip(ids, asked)])

truth = np.round(rng.uniform(10, 86, len(ids)), 4)
usage = rng.choice(["Public", "Private", "Ignored"], len(ids), p=[0.3, 0.6, 0.1])
order = rng.permutation(len(ids))
write("solution.csv", ["RowId", "Location", "Usage"], [(ids[i], truth[i], usage[i]) for i in order])

given = {}
for name, spread in (("a", 1.5), ("b", 2.5), ("c", 4.0)):
    given[name] = np.round(np.clip(truth + rng.normal(0, spread, len(ids)), 0, 96), 10)
    rows = rng.permutation(len(ids)) if name == "b" else range(len(ids))
    write(name + ".csv", ["RowId", "Location"], [(ids[i], "%.10f" % given[name][i]) for i in rows])

counts = usage != "Ignored"
names = np.array([f for _, f in asked])


def score(d):
    out = {"all": rmse(d[counts]), "private": rmse(d[usage == "Private"]), "public": rmse(d[usage == "Public"])}
    out["features"] = {
        f: {u.lower(): rmse(d[(names == f) & (usage == u)]) for u in ("Private", "Public")} | {"all": rmse(d[(names == f) & counts])}
        for f in features
    }
    return out


expected["scores"] = {name: score(v - truth) for name, v in given.items()}
stack = np.stack([given[n] for n in "abc"])
expected["mean"] = np.mean(stack, axis=0).tolist()
expected["weighted"] = np.average(stack, axis=0, weights=[2, 1, 0.5]).tolist()
expected["median"] = np.median(stack, axis=0).tolist()
expected["median_of_two"] = np.median(stack[:2], axis=0).tolist()
# Whole weights: the median of each value as often as its weight says.
expected["weighted_median"] = np.median(np.repeat(stack, [3, 1, 2], axis=0), axis=0).tolist()
expected["distances"] = {
    x + y: {"rms": rmse(given[x] - given[y]), "largest": float(np.max(np.abs(given[x] - given[y])))}
    for x, y in (("a", "b"), ("a", "c"), ("b", "c"))
}

# The two real submissions, the second as the truth of the first: rows whose id
# leaves 1 when divided by 3 are public, the others private.
if len(sys.argv) > 1:
    folder = os.path.join(sys.argv[1], "kaggle")
    first = read(os.path.join(folder, "submission-2017-04-22T11-07-25.895212.csv"))
    second = read(os.path.join(folder, "submission-2017-04-23T06-17-13.222880.csv"))
    ids = np.array(sorted(first))
    d = np.array([first[i] - second[i] for i in ids])
    with open(os.path.join(folder, "IdLookupTable.csv"), newline="") as f:
        feature = {int(r["RowId"]): r["FeatureName"] for r in csv.DictReader(f)}
    names = np.array([feature[i] for i in ids])
    expected["real"] = {
        "all": rmse(d), "public": rmse(d[ids % 3 == 1]), "private": rmse(d[ids % 3 != 1]), "largest": float(np.max(np.abs(d))),
        "features": {f: rmse(d[names == f]) for f in sorted(set(names))},
    }

with open(path, "w") as f:
    json.dump(expected, f, indent=1, sort_keys=True)
    f.write("\n")

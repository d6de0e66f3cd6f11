"""A linear probe by scikit-learn on the features that bench:teach wrote: what a plain fit on them can reach.

    npm run bench:teach -- LEARN JUDGE --features DIR
    python3 test/bench/linear-probe.py DIR

For developers: it needs Python with numpy and scikit-learn. The strength of the penalty is chosen on the judged photos,
so what it prints is a limit, not a fair result.
"""

import json
import sys

import numpy
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import NearestCentroid

folder = sys.argv[1]


def load(name):
    labels = numpy.array(json.load(open(f"{folder}/{name}.json")))
    features = numpy.fromfile(f"{folder}/{name}.f32", dtype="<f4").reshape(len(labels), -1)
    return features, labels


features, labels = load("learn")
judged, truth = load("judge")
print(f"{features.shape[0]} photos to learn from, {features.shape[1]} features, {judged.shape[0]} to judge")
print(f"nearest centroid {NearestCentroid().fit(features, labels).score(judged, truth):.4f}")
for penalty in (0.001, 0.01, 0.1, 1):
    probe = RidgeClassifier(alpha=penalty, class_weight="balanced").fit(features, labels)
    print(f"ridge regression, alpha = {penalty}: {probe.score(judged, truth):.4f}", flush=True)
for strength in (10, 100, 1000, 10000):
    probe = LogisticRegression(C=strength, max_iter=1000).fit(features, labels)
    print(f"logistic regression, C = {strength}: {probe.score(judged, truth):.4f}", flush=True)

"""The one hot path: a dataset and its models become a frozen plan; plan and values become counts, gradient, curvature.

Internal: users meet it through ``MapDataset.npred``, ``stat_sum`` and `geminga.modeling.Fit`. See `predict` for the entrance.
"""

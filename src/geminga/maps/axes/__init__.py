"""Axes of maps: numbers (`MapAxis`), time intervals (`TimeMapAxis`), labels (`LabelMapAxis`), and several of them (`MapAxes`)."""

from __future__ import annotations

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {".map": ["MapAxis"], ".time": ["TimeMapAxis"], ".label": ["LabelMapAxis"], ".collection": ["MapAxes"]},
)

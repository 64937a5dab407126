"""Frames to verdicts: rulebooks (data), scores, audit checks."""

"""Verdicts to files: the filled copy, the summary, the findings, the machine interface."""

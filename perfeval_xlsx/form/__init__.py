"""Cells to frames: labels, locating forms, reading rows, values, the tidy tables."""

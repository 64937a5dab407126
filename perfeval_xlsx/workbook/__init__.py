"""Bytes to cells and back: packages, sheets, displayed text, lossless patching."""

"""Many files: discovery, chunks, the run and its record."""

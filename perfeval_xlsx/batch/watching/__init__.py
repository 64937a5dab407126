"""A watched inbox: what is dropped is scored, what is replaced done again, what is taken out marked."""

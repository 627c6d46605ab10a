"""The criteria, one module each, and the grade they add up to (rules 2.1 to 2.9 of the clinical specification)."""

"""The behaviour as documentation: one folder a rule, a small chart in, the assessment out. See harness.py."""

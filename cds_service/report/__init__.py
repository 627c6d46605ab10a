"""The committee report: what fired, what was accepted, dismissed or ignored, how complete and how fast, for whom."""

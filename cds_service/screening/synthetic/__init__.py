"""Populations made up on top of Synthea patients, with the truth told beside them; every resource is marked HTEST.

The truth comes from the story that a chart was written from (`data/stories.yaml`), never from an assessment."""

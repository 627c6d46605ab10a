"""The committee report: what fired, what was accepted, dismissed or ignored, how complete and how fast, for whom."""

from cds_service.report.build import Options, build
from cds_service.report.tables import Report, Table

__all__ = ["Options", "Report", "Table", "build"]

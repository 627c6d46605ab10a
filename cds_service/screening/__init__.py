"""Population screening: the brain of the hooks over a hospital's Bulk Data export.

`decide` turns the raw resources of one patient into one row; the engines (DuckDB on one machine, Spark on a cluster)
only find the candidates and bring each one's resources together."""

from cds_service.screening.decide import decide
from cds_service.screening.rows import DecisionRow

__all__ = ["DecisionRow", "decide"]

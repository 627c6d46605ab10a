"""Population screening: the brain of the hooks over a hospital's Bulk Data export.

`decide.decide` turns the raw resources of one patient into one row (`rows.DecisionRow`); the engines (DuckDB on one
machine, Spark on a cluster) only find the candidates and bring each one's resources together."""

"""Population screening: the brain of the hooks over a hospital's Bulk Data export.

`decide.decide` turns the raw resources of one patient into one row (`rows.DecisionRow`); the engine (worker
processes and DuckDB, on one machine) only finds the candidates and brings each one's resources together."""

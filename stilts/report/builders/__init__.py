"""Builders by file: `build(spec, evidence)` makes the tables one TOML in `tables/` asks for."""

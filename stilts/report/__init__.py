"""From records to paper-ready tables: builders make a `Table`, writers print it, figures draw it."""

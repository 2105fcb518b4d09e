"""Training of one phase: one task or a mixture, with exact resume."""

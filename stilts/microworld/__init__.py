"""A small generated world whose sentences, in many languages, carry their gold labels by construction."""

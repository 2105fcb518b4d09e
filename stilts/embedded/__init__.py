"""The material of the embedded study: generated sentences, Django's translations, a 4-bit E5."""

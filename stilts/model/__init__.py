"""The model: an encoder over packed tokens with its heads, read from and written to Hugging Face's format."""

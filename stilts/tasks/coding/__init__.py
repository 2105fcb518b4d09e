"""From text to tokens: pieces, special tokens around them, and rows of different lengths as flat arrays."""

"""A launch: what is left to do, what it will take, and what is shown meanwhile."""
